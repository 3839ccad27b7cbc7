"""The database: one unit of work at the edge, on SQLite and PostgreSQL. The only module that commits."""

import contextlib
import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from app.core import events, walls
from app.core.crypto import Keyring
from app.core.errors import TooMany, Unavailable
from app.core.i18n import gettext as _
from app.core.tables import Base, BrandOwned, UtcDateTime, brand_table, points_to, pub

__all__ = ["Base", "BrandOwned", "Database", "UtcDateTime", "brand_table", "inserting", "keyring", "points_to", "pub"]

LOCK_WAIT_MS = 10_000
IDLE_SECONDS = 5  # after which PostgreSQL is asked whether a connection lives
READ = {"leima_read": True, "postgresql_readonly": True}

_BUGS = ("no such", "syntax error", "has no column")  # SQLite calls our own mistakes operational too
_READONLY = "readonly"  # a bug in a session that only reads; elsewhere the file cannot be written

_COUNT = text(
    "INSERT INTO counter (key, until, n) VALUES (:key, :until, 1) "
    "ON CONFLICT (key) DO UPDATE SET n = CASE WHEN counter.until <= :now THEN 1 ELSE counter.n + 1 END, "
    "until = CASE WHEN counter.until <= :now OR (:strict = 1 AND counter.n < :most) THEN :until ELSE counter.until END "
    "RETURNING n, until"
)

_UNCOUNT = text("UPDATE counter SET n = n - 1 WHERE key = :key AND until > :now AND n > 0")
_TRIES = text("SELECT n FROM counter WHERE key = :key AND until > :now")


class DatabaseDown(Unavailable):
    """The database cannot be opened or written; nothing was done."""

    code = "database_unavailable"


def _busy() -> DatabaseDown:
    return DatabaseDown(_("The service is busy for a moment. Nothing was saved; please try again."))


class Database:
    """One database with its two kinds of session: `unit` writes and commits, `reading` cannot write.

    `guard_walls` turns on the engine hook that refuses Core statements on a brand's table that do not name the brand.
    """

    def __init__(self, url: str, keys: Keyring, *, guard_walls: bool = False) -> None:
        self.keys = keys
        self.engine = _engine(url)
        self._writer = threading.RLock()
        self._reader = self.engine.execution_options(**READ)
        if guard_walls:
            walls.guard(self.engine)

    @property
    def is_sqlite(self) -> bool:
        """Tell which of the two databases this is."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def unit(self, brand_id: int | None = None) -> Iterator[Session]:
        """Open one unit of work: all of it is committed at the end, or none of it.

        A `brand_id` scopes every query to that brand; without one, rows of brands cannot be read by accident.

        Raises:
            DatabaseDown: the database is locked, closed, full or gone.
        """
        with self._turn(), self._session(self.engine, brand_id) as session:
            yield session
            session.flush()
            events.write_waiting(session)
            session.commit()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Queue this process's writers on SQLite: its own waiting sleeps and lets a busy writer starve us."""
        if not self.is_sqlite:
            yield
            return
        if not self._writer.acquire(timeout=LOCK_WAIT_MS / 1000):
            raise _busy()
        try:
            yield
        finally:
            self._writer.release()

    @contextmanager
    def reading(self, brand_id: int | None = None) -> Iterator[Session]:
        """Open a session that can read only and takes no write lock."""
        with self._session(self._reader, brand_id) as session:
            yield session  # closing gives the connection back unchanged and leaves the rows readable

    @contextmanager
    def _session(self, engine: Engine, brand_id: int | None) -> Iterator[Session]:
        session = walls.BrandSession(engine, expire_on_commit=False, autoflush=True)
        session.info.update(brand_id=brand_id, keyring=self.keys)
        try:
            with session:
                yield session
        except OperationalError as error:
            if any(bug in str(error.orig) for bug in _BUGS) or (
                engine is self._reader and _READONLY in str(error.orig)
            ):
                raise
            raise _busy() from error

    def count(self, key: str, *, limit: int, window: timedelta, now: datetime, strict: bool = False) -> int:
        """Count one try and return how many there were, in a transaction of its own that outlives refusals.

        Args:
            strict: the window begins anew with each try that is allowed, so that no `window` of time, wherever it
                begins, ever holds more than `limit`; else two windows may meet with twice as many around the seam.

        Raises:
            TooMany: there were more than `limit` within `window`; nothing else was touched.
        """
        values = {
            "key": self.keys.lookup("count", key),
            "until": int((now + window).timestamp()),
            "now": int(now.timestamp()),
            "strict": int(strict),
            "most": limit,
        }
        with self.unit() as session:
            n, until = session.connection().execute(_COUNT, values).one()
        if n > limit:
            raise TooMany(_("Too many tries. Please wait a moment."), retry_after=max(1, until - values["now"]))
        return int(n)

    def uncount(self, key: str, *, now: datetime) -> None:
        """Give one try back that was counted and turned out to be right."""
        with self.unit() as session:
            values = {"key": self.keys.lookup("count", key), "now": int(now.timestamp())}
            session.connection().execute(_UNCOUNT, values)

    def tries(self, key: str, *, now: datetime) -> int:
        """Return how many tries `count` has under a key whose window is still open."""
        values = {"key": self.keys.lookup("count", key), "now": int(now.timestamp())}
        with self.reading() as session:
            return int(session.connection().execute(_TRIES, values).scalar() or 0)

    def check(self) -> None:
        """Prove at start that what an answer promises is on the disk.

        Raises:
            DatabaseDown: the database does not answer, or PostgreSQL would answer before it is durable.
        """
        try:
            with self.engine.connect() as connection:
                if self.is_sqlite:
                    connection.exec_driver_sql("SELECT 1")
                    return
                for name in ("synchronous_commit", "fsync"):
                    value = connection.exec_driver_sql(f"SHOW {name}").scalar()
                    if value != "on":
                        fault = _("PostgreSQL must run with %(name)s=on, it is %(value)s.", name=name, value=value)
                        raise DatabaseDown(fault)
        except DBAPIError as error:
            raise DatabaseDown(_("The database cannot be opened: %(fault)s", fault=error.orig)) from error

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def inserting(session: Session) -> Any:
    """Return the INSERT of the session's database, which knows ON CONFLICT; the two dialects share no type."""
    return sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert


def keyring(session: Session) -> Keyring:
    """Return the keys that this session's secrets are sealed with."""
    keys: Keyring = session.info["keyring"]
    return keys


def brand_of(session: Session) -> int:
    """Return the brand that this session is scoped to.

    Raises:
        RuntimeError: the session has no brand; a mistake of the caller.
    """
    brand_id: int | None = session.info.get("brand_id")
    if brand_id is None:
        raise RuntimeError("this needs a session scoped to a brand")
    return brand_id


def _engine(url: str) -> Engine:
    if url.startswith("sqlite"):
        engine = create_engine(
            url, connect_args={"check_same_thread": False}, pool_size=16, max_overflow=32, hide_parameters=True
        )
        path = make_url(url).database
        event.listen(engine, "do_connect", lambda *_: _make_private(path))
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
        return engine
    engine = create_engine(url, pool_size=16, max_overflow=32, hide_parameters=True)
    event.listen(engine, "checkin", _note_when)
    event.listen(engine, "checkout", partial(_ask_if_idle, engine))
    return engine


def _note_when(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["back_at"] = time.monotonic()


def _ask_if_idle(engine: Engine, connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Ask a connection whether it lives, when nobody has used it for a while: the server may have been restarted.

    The pool's own asking is one more journey for each unit of work, a twentieth of a sale. A server that goes down
    within these seconds costs its clients one `database_unavailable`, and then the pool forgets its connections.

    Raises:
        InvalidatePoolError: it does not; the pool opens another.
    """
    if time.monotonic() - record.info.get("back_at", math.inf) < IDLE_SECONDS:
        return
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error  # the others are as old as the server's last start


def _make_private(path: str | None) -> None:
    """Create the file for its owner only, before SQLite does for everybody; -wal and -shm take its mode over."""
    if path and path != ":memory:" and not Path(path).exists():
        with contextlib.suppress(OSError):  # a folder that is missing or closed is told by the first connection
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _sqlite_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: pysqlite's own begins too late to hold a lock
    for pragma in (f"busy_timeout={LOCK_WAIT_MS}", "journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: Connection) -> None:
    reads = bool(connection.get_execution_options().get("leima_read"))
    raw: PoolProxiedConnection = connection.connection
    if raw.info.get("reads", False) is not reads:
        connection.exec_driver_sql(f"PRAGMA query_only={int(reads)}")
        raw.info["reads"] = reads
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
