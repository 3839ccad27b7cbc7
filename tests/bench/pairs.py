"""Two sides that do the same work in turns, and what it costs them."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from app.core.db import Database
from tests.bench.recording import Transaction
from tests.bench.world import Sale, World
from tests.conftest import KEYS

Work = Callable[[], None]


@dataclass(frozen=True)
class Pair:
    """Ours and the driver, over copies of one database. Each gives what its threads do for a part of the sales."""

    what: str
    peer: str
    ours: Callable[[slice], list[Work]]
    driver: Callable[[slice], list[Work]]
    recorded: list[Transaction]


@dataclass(frozen=True)
class Cost:
    """Processor time of this process and wall time, in seconds."""

    cpu: float
    wall: float


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """Open a database as production does: without the guard of the walls."""
    database = Database(url, KEYS)
    yield database
    database.close()


def sellers(database: Database, world: World, lanes: Sequence[Sequence[Sale]]) -> list[Work]:
    """Return a work for each lane, which books its sales one after the other."""

    def work(lane: Sequence[Sale]) -> None:
        for sale in lane:
            world.sell(database, sale)

    return [lambda lane=lane: work(lane) for lane in lanes]


def cost(works: Sequence[Work]) -> Cost:
    """Do it all at once, a thread for each, and say what it cost.

    Raises:
        RuntimeError: a thread failed; its fault is printed.
    """
    done = []
    threads = [threading.Thread(target=lambda work=work: (work(), done.append(1))) for work in works]
    cpu, wall = time.process_time(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = Cost(time.process_time() - cpu, time.perf_counter() - wall)
    if len(done) < len(works):
        raise RuntimeError("a thread of the benchmark failed")
    return found
