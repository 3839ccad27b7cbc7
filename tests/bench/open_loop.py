"""Requests that leave by the clock, whatever the answers do: one that leaves late is counted from when it was due."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

CLIENTS = 32  # connections, each kept open as a till's is
TIMEOUT = 10  # seconds


@dataclass
class Client:
    """One connection to the server on loopback."""

    port: int
    headers: dict[str, str]
    waits: list[float] = field(default_factory=list)  # seconds from when each request was due to the end of its answer
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)

    def post(self, path: str, body: dict[str, Any], key: str, *, due: float) -> dict[str, Any]:
        """Send when it is due, or at once when that is over; return the answer, an empty one of a fault.

        Args:
            due: by `time.perf_counter`.
        """
        time.sleep(max(0.0, due - time.perf_counter()))
        found: dict[str, Any] = {}
        try:
            self._connection.request("POST", path, json.dumps(body), {**self.headers, "Idempotency-Key": key})
            answer = self._connection.getresponse()
            said = answer.read()
            if answer.status == 201:
                found = json.loads(said)
            else:
                self.faults.append(f"{path}: {answer.status} {said[:200]!r}")
        except (OSError, http.client.HTTPException) as error:
            self.faults.append(f"{path}: {type(error).__name__}")
            self._connection.close()
        self.waits.append(time.perf_counter() - due)
        return found


def drive(clients: Sequence[Client], tasks: Sequence[Callable[[Client, float], None]], *, every: float) -> None:
    """Start a task each `every` seconds; each free client takes the next one and waits for its moment.

    A task gets the client and the moment when it is due.
    """
    begin = time.perf_counter() + 0.1
    rest, turn = iter(enumerate(tasks)), threading.Lock()

    def work(client: Client) -> None:
        while True:
            with turn:
                number, task = next(rest, (0, None))
            if task is None:
                return
            task(client, begin + number * every)

    threads = [threading.Thread(target=work, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
