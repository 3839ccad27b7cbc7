"""Starting threads at one moment, and what came of each."""

import os
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
FULL = os.environ.get("LEIMA_TEST_FULL") == "1"


def at_once(threads: int, act: Callable[[int], T]) -> list[T | Exception]:
    """Call `act` with 0 to n − 1 in n threads that start together; an exception is a result like another."""
    results: list[T | Exception] = [RuntimeError("did not run")] * threads
    start = threading.Barrier(threads)

    def run(number: int) -> None:
        start.wait()
        try:
            results[number] = act(number)
        except Exception as error:
            results[number] = error

    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return results
