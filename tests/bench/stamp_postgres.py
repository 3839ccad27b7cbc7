"""Ours and psycopg on copies of one PostgreSQL database, over several connections with members of their own."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import URL, create_engine, make_url, text

from app.core.db import Database
from tests.bench.pairs import Pair, Work, opened, sellers
from tests.bench.recording import Transaction, record, repeat
from tests.bench.world import World, build, check
from tests.postgres import server

_SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1"
_BLOCK = 100_000  # ids that a connection takes at once


@contextmanager
def pair(folder: Path, *, lanes: int, sales: int) -> Iterator[Pair]:
    """Give the pair; in the end the books of both must agree.

    Args:
        sales: of all connections together.
    """
    with ExitStack() as stack:
        base = make_url(stack.enter_context(server(folder / "pgserver")))
        seed = stack.enter_context(_database(base, "seed"))
        with opened(seed) as database:
            world = build(database)
        mine = stack.enter_context(_database(base, "ours", template=seed))
        with opened(seed) as database:
            _take_blocks(database)
        theirs = stack.enter_context(_database(base, "driver", template=seed))
        wanted = [list(world.sales(sales // lanes, seed=k, members=slice(k, None, lanes))) for k in range(lanes)]
        recorded = [_record(seed, world, lane) for lane in wanted]
        connections = [stack.enter_context(_connect(theirs)) for _lane in wanted]
        with opened(mine) as ours:
            yield Pair(
                f"PostgreSQL, {lanes} connections", f"psycopg {psycopg.__version__}",
                lambda part: sellers(ours, world, [lane[_of(part, lanes)] for lane in wanted]),
                lambda part: _repeaters(connections, [lane[_of(part, lanes)] for lane in recorded]),
                [transaction for lane in recorded for transaction in lane],
            )  # fmt: skip
            check(ours, world)
        with opened(theirs) as database:
            check(database, world)


def _of(part: slice, lanes: int) -> slice:
    return slice(part.start // lanes, part.stop // lanes)


@contextmanager
def _database(base: URL, name: str, *, template: str = "") -> Iterator[str]:
    name = f"leima_bench_{name}_{os.getpid()}"
    origin = make_url(template).database if template else "template0"
    admin = create_engine(base, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {origin} ENCODING 'UTF8'"))
    try:
        yield base.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        admin.dispose()


def _take_blocks(database: Database) -> None:
    """Let each connection draw its ids from a block of its own.

    Connections that write at once would get other ids than those that were recorded one after the other, and the
    recorded values would not fit. Blocks are given in the order in which connections first ask.
    """
    with database.unit() as session:
        for name in session.connection().execute(text(_SEQUENCES)).scalars().all():
            session.connection().execute(text(f"ALTER SEQUENCE {name} CACHE {_BLOCK}"))


def _record(url: str, world: World, lane: Sequence[object]) -> list[Transaction]:
    with opened(url) as database:
        with database.unit() as session:
            for name in session.connection().execute(text(_SEQUENCES)).scalars().all():
                session.connection().execute(text(f"SELECT nextval('{name}')"))
        return record(database, world, lane)


@contextmanager
def _connect(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)) as found:
        for (name,) in found.execute(_SEQUENCES).fetchall():
            found.execute(f"SELECT nextval('{name}')")
        found.commit()
        yield found


def _repeaters(connections: Sequence[psycopg.Connection], lanes: Sequence[Sequence[Transaction]]) -> list[Work]:
    def work(connection: psycopg.Connection, lane: Sequence[Transaction]) -> None:
        with connection.cursor() as cursor:
            for transaction in lane:
                repeat(cursor, transaction)
                connection.commit()

    return [lambda at=at, lane=lane: work(at, lane) for at, lane in zip(connections, lanes, strict=True)]
