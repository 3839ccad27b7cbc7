"""Ours and sqlite3 on copies of one SQLite file: write-ahead log, each commit on the disk."""

import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.core.db import LOCK_WAIT_MS, Database
from tests.bench.pairs import Pair, Work, opened, sellers
from tests.bench.recording import Transaction, record, repeat
from tests.bench.world import Sale, World, build, check


@contextmanager
def pairs(folder: Path, *, threads: Sequence[int], sales: int) -> Iterator[Iterator[Pair]]:
    """Give one pair for each number of threads, one after the other; in the end the books of both must agree."""
    seed, mine, theirs = (folder / f"{name}.db" for name in ("seed", "ours", "driver"))
    with opened(f"sqlite:///{seed}") as database:
        world = build(database)
    for path in (mine, theirs):
        shutil.copy(seed, path)
    with opened(f"sqlite:///{seed}") as recorder, opened(f"sqlite:///{mine}") as ours:
        wanted = {count: list(world.sales(sales, seed=count)) for count in threads}
        yield (
            _pair(count, ours, theirs, world, wanted[count], record(recorder, world, wanted[count]))
            for count in threads
        )
        check(ours, world)
    with opened(f"sqlite:///{theirs}") as database:
        check(database, world)


def _pair(
    count: int, ours: Database, theirs: Path, world: World, wanted: Sequence[Sale], recorded: list[Transaction]
) -> Pair:
    connections = [_connect(theirs) for _ in range(count)]
    return Pair(
        f"SQLite, {count} thread{'s' if count > 1 else ''}", f"sqlite3 {sqlite3.sqlite_version}",
        lambda part: sellers(ours, world, [wanted[part][k::count] for k in range(count)]),
        lambda part: _repeaters(connections, recorded[part]),
        recorded,
    )  # fmt: skip


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in (f"busy_timeout={LOCK_WAIT_MS}", "journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _repeaters(connections: Sequence[sqlite3.Connection], transactions: Sequence[Transaction]) -> list[Work]:
    """Let each connection take the next transaction when it has the write lock.

    So they are written in the order in which they were recorded, the rows get the same ids, and the values fit.
    """
    rest, turn = iter(transactions), threading.Lock()  # one writer at a time in a process, as with ours

    def work(connection: sqlite3.Connection) -> None:
        cursor = connection.cursor()
        while True:
            with turn:
                transaction = next(rest, None)
                if transaction is None:
                    return
                cursor.execute("BEGIN IMMEDIATE")
                repeat(cursor, transaction)
                cursor.execute("COMMIT")

    return [lambda connection=connection: work(connection) for connection in connections]
