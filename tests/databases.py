"""Opens databases that share what SQLAlchemy compiled: a quarter of the suite's work was compiling the same anew."""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.pool import Pool
from sqlalchemy.util import LRUCache

from app.core.crypto import Keyring
from app.core.db import Database

STATEMENTS = 2000  # that are kept of each kind of database; all of Leima's are some hundreds
_pools: dict[str, Pool] = {}  # by address
_shared: dict[str, tuple[Engine, LRUCache[Any, Any]]] = {}


def a_database(url: str, keys: Keyring, *, guard_walls: bool = True) -> Database:
    """Open a database as a process that has answered many requests has it: its statements are compiled already.

    A compiled statement belongs to a dialect, so the dialect of the first database of a kind speaks for the others too;
    connections, transactions and events are each database's own.
    """
    database = Database(url, keys, guard_walls=guard_walls)
    kind = database.engine.dialect.name
    if kind not in _shared:
        with database.engine.connect():  # by which the dialect learns the server's version
            _shared[kind] = (database.engine, LRUCache(STATEMENTS))
    first, compiled = _shared[kind]
    for engine in (database.engine, database._reader):
        engine.dialect, engine._compiled_cache = first.dialect, compiled
    if kind == "postgresql":
        _stay_connected(database, url)
    return database


def _stay_connected(database: Database, url: str) -> None:
    """Lend it the connections of this process: a new one makes the server read its whole catalog again."""
    own, kept = database.engine.pool, _pools.setdefault(url, database.engine.pool)
    if own is not kept:
        own.dispose()
        database.engine.pool = kept
    database.close = lambda: None  # type: ignore[method-assign]
