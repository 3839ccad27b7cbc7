"""Domain events: `emit` writes one job for each listener, in the transaction of the change."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.core import clock, jobs

_WAITING = "waiting_jobs"  # in a session's info: what its unit writes at its end, by the unique key


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened. Fields are ids and plain values only: they become a job's arguments."""


@dataclass(frozen=True)
class _Waiting:
    """A job under a unique key, until its unit ends."""

    kind: "jobs.JobKind"
    arguments: Mapping[str, object]
    run_at: datetime
    brand_id: int | None


def emit(session: Session, event: Event, *, delay: timedelta = timedelta()) -> None:
    """Queue every job that listens to this event: no lost job, no phantom job.

    The row of a job under a unique key is a lock that all units which say the same wait for, so it is written when the
    unit ends. Source: docs/decisions/0017-one-order-of-locks.md.

    Raises:
        RuntimeError: the registry is not loaded, so listeners would be forgotten silently.
    """
    arguments = asdict(event)
    json.dumps(arguments)  # an argument that is no plain value fails here, not in the worker
    for kind in jobs.listeners(type(event)):
        enqueue(session, kind, arguments, run_at=clock.now() + max(delay, kind.wait))


def enqueue(session: Session, kind: "jobs.JobKind", arguments: dict[str, object], *, run_at: datetime) -> None:
    """Write one row of the outbox; one that waits already takes the newest arguments and only moves forward."""
    known = {name: arguments[name] for name in kind.arguments}
    brand_id: int | None = session.info.get("brand_id")
    if kind.unique_by is None:
        jobs.insert(session, kind, known, run_at=run_at, brand_id=brand_id)
        return
    waiting: dict[str, _Waiting] = session.info.setdefault(_WAITING, {})
    key = f"{kind.name}:{known[kind.unique_by]}"
    before = waiting.get(key)
    waiting[key] = _Waiting(kind, known, run_at if before is None else min(run_at, before.run_at), brand_id)


def write_waiting(session: Session) -> None:
    """Write the jobs that wait for the end of this unit, after all its other locks and in the order of their keys."""
    waiting: dict[str, _Waiting] = session.info.pop(_WAITING, {})
    for key, one in sorted(waiting.items()):
        jobs.insert(session, one.kind, dict(one.arguments), unique_key=key, run_at=one.run_at, brand_id=one.brand_id)
