"""The job table is the outbox: kinds of jobs, how a row is written, claimed under a lease, finished under a fence."""

import inspect
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.sql import Sql, kept
from app.core.tables import Base, UtcDateTime

LEASE = timedelta(seconds=60)


def _partial(name: str, state: str, *columns: str) -> Index:
    where = text(f"state = '{state}'")
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


class Job(Base):
    """One row of the outbox.

    `attempt` is the fence: a worker that lost its lease finds a higher number and writes nothing. `failures` counts
    towards the end of its tries; a pause that a provider asked for does not.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index(
            "uq_job_unique_key",
            "unique_key",
            unique=True,
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        # One for each question: the next due row, the lease that ran out, what was done long ago. Each is as short as
        # what is asked about, so that neither a backlog nor the rows of two weeks make a claim slower.
        _partial("ix_job_queued", "queued", "priority", "run_at", "id"),
        _partial("ix_job_leased", "running", "leased_until"),
        _partial("ix_job_done", "done", "finished_at"),
        UniqueConstraint("slot"),
        {
            "info": {
                "no_brand": "jobs of the installation have no brand; brand_id is set on all others",
                "finds_brand": True,
            }
        },
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), info={"personal": "none"})
    brand_id: Mapped[int | None]
    arguments: Mapped[str] = mapped_column(Text, info={"personal": "none"})  # JSON of ids, never of personal data
    unique_key: Mapped[str | None] = mapped_column(String(160), info={"personal": "none"})
    slot: Mapped[str | None] = mapped_column(String(160), info={"personal": "none"})  # a periodic job's turn
    priority: Mapped[int] = mapped_column(default=5)  # lower runs first
    state: Mapped[str] = mapped_column(
        String(8), default="queued", info={"personal": "none"}
    )  # queued running done dead
    attempt: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    run_at: Mapped[datetime] = mapped_column(UtcDateTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(String(200), info={"personal": "none"})  # class and code, no message


class Sending(Protocol):
    """A job that speaks to a provider, in three steps; no session is open while it sends."""

    def prepare(self, session: Session, **arguments: Any) -> list[Any]:
        """Read and mark what will be sent; committed before anything leaves."""

    def send(self, envelopes: list[Any]) -> list[Any]:
        """Speak to the provider."""

    def finish(self, session: Session, results: list[Any]) -> timedelta | None:
        """Write what became of it; committed with "done", under the fence.

        A pause instead of None puts the job back, in that same commit: what was not taken is sent again after it.
        """


class Long(Protocol):
    """A job that computes for minutes, in short units: a worker that is killed leaves nothing half, and begins anew."""

    def prepare(self, session: Session, **arguments: Any) -> Any:
        """Mark it begun and return what the steps work on; None where nothing is to be done any more."""

    def steps(self, work: Any) -> Iterator[Any]:
        """Compute, a second at most between two steps; no session is open here but those it opens to read."""

    def note(self, session: Session, work: Any, step: Any) -> None:
        """Write how far it is; committed with a whole new lease, and refused where another worker has the row."""

    def finish(self, session: Session, work: Any) -> None:
        """Write what was found; committed with "done", under the fence."""

    def give_up(self, session: Session, **arguments: Any) -> None:
        """Write that it will not be tried again; committed with "dead"."""


@dataclass(frozen=True)
class JobKind:
    """A kind of job under a dotted name that outlives renames."""

    name: str
    run: Callable[..., Any]  # a function of a session, or a class with prepare, send and finish
    sends: bool
    arguments: tuple[str, ...]
    retries: int
    unique_by: str | None
    priority: int
    every: timedelta | None
    wait: timedelta  # after the event: what happens meanwhile is one job
    repeatable: bool  # a sending job whose waiting twin does its work too: it takes what is due from the database
    long: bool = False  # a class with prepare, steps, note, finish and give_up: it has a worker of its own


class RetryLater(Exception):
    """Raised by a job that should run again after `after`, without counting as a failure of ours.

    Nothing that the job wrote is kept; a sending job returns its pause from `finish` instead, so that its results are.
    """

    def __init__(self, after: timedelta) -> None:
        super().__init__(after)
        self.after = after


T = TypeVar("T", bound=Callable[..., Any])
_kinds: dict[str, JobKind] = {}
_listeners: dict[type, list[str]] = {}
_state = {"loaded": False}


def job(
    name: str,
    *,
    listens: type | tuple[type, ...] = (),
    retries: int = 8,
    unique_by: str | None = None,
    priority: int = 5,
    every: timedelta | None = None,
) -> Callable[[T], T]:
    """Register a database job: `function(session, **arguments)`, one unit with "done"."""
    return _register(
        name, listens, sends=False, retries=retries, unique_by=unique_by, priority=priority, every=every,
        wait=timedelta(), repeatable=False,
    )  # fmt: skip


def sending_job(
    name: str,
    *,
    listens: type | tuple[type, ...] = (),
    retries: int = 8,
    unique_by: str | None = None,
    priority: int = 5,
    wait: timedelta = timedelta(),
    repeatable: bool = False,
) -> Callable[[T], T]:
    """Register a job that speaks to a provider: a class made with the runtime, see `Sending`.

    Args:
        wait: from the event to the first run; what else happens meanwhile joins the waiting job.
        repeatable: where a newer job of the same key waits, a paused one ends, since the newer does its work too.
    """
    return _register(
        name, listens, sends=True, retries=retries, unique_by=unique_by, priority=priority, every=None, wait=wait,
        repeatable=repeatable,
    )  # fmt: skip


def long_job(
    name: str, *, listens: type | tuple[type, ...] = (), retries: int = 4, unique_by: str | None = None
) -> Callable[[T], T]:
    """Register a job that computes for minutes: a class made with the runtime, see `Long`."""
    return _register(
        name, listens, sends=False, retries=retries, unique_by=unique_by, priority=9, every=None, wait=timedelta(),
        repeatable=False, long=True,
    )  # fmt: skip


def _register(name: str, listens: type | tuple[type, ...], *, sends: bool, **options: Any) -> Callable[[T], T]:
    def wrap(target: T) -> T:
        if name in _kinds and _kinds[name].run is not target:
            raise RuntimeError(f"two jobs are called {name}")
        body = getattr(target, "prepare", target) if isinstance(target, type) else target
        names = [p for p in inspect.signature(body).parameters if p not in ("self", "session")]
        _kinds[name] = JobKind(name, target, sends, tuple(names), **options)
        for event in listens if isinstance(listens, tuple) else (listens,):
            _listeners.setdefault(event, []).append(name)
        return target

    return wrap


def mark_loaded() -> None:
    """Say that the registry has imported every module of jobs."""
    _state["loaded"] = True


def kinds() -> dict[str, JobKind]:
    """Return all kinds by name."""
    return dict(_kinds)


def listeners(event: type) -> Iterable[JobKind]:
    """Return the kinds that listen to an event.

    Raises:
        RuntimeError: the registry is not loaded.
    """
    if not _state["loaded"]:
        raise RuntimeError("the registry is not loaded: an event would be lost")
    return [_kinds[name] for name in _listeners.get(event, ())]


# An insert that meets a waiting row of the same key locks that row until our commit, so no worker can run it on what
# was there before our change; DO NOTHING would lose the wake-up. The newest arguments win: they say what happened last.
_INSERT = Sql(
    "INSERT INTO job (name, brand_id, arguments, unique_key, slot, priority, state, attempt, failures, created_at, "
    "run_at) "
    "VALUES (:name, :brand_id, :arguments, :unique_key, :slot, :priority, 'queued', 0, 0, :created_at, :run_at) "
    "ON CONFLICT (unique_key) WHERE state = 'queued' "
    "DO UPDATE SET arguments = excluded.arguments, "
    "run_at = CASE WHEN excluded.run_at < job.run_at THEN excluded.run_at ELSE job.run_at END"
)
_INSERT_SLOT = Sql(
    "INSERT INTO job (name, brand_id, arguments, unique_key, slot, priority, state, attempt, failures, created_at, "
    "run_at) "
    "VALUES (:name, :brand_id, :arguments, :unique_key, :slot, :priority, 'queued', 0, 0, :created_at, :run_at) "
    "ON CONFLICT (slot) DO NOTHING"
)


def insert(
    session: Session,
    kind: JobKind,
    arguments: dict[str, object],
    *,
    run_at: datetime,
    brand_id: int | None,
    unique_key: str | None = None,
    slot: str | None = None,
) -> None:
    """Write one row of the outbox through the session's connection."""
    values = {
        "name": kind.name,
        "brand_id": brand_id,
        "arguments": json.dumps(arguments),
        "unique_key": unique_key,
        "slot": slot,
        "priority": kind.priority,
        "created_at": run_at,
        "run_at": run_at,
    }
    (_INSERT_SLOT if slot else _INSERT).run(session, values)


def again(session: Session, name: str, *, now: datetime) -> None:
    """Queue a tidying job of the installation once more, for what its slice left over."""
    insert(session, _kinds[name], {}, run_at=now, brand_id=None, unique_key=f"{name}:rest")


def stamp(connection: Connection, moment: datetime) -> object:
    """Return a moment as this database keeps it, for statements in plain SQL."""
    return kept(moment) if connection.dialect.name == "sqlite" else moment
