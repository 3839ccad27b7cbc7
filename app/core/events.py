"""Domain events: `emit` writes one job for each listener, in the transaction of the change."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.core import clock, jobs


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened. Fields are ids and plain values only: they become a job's arguments."""


def emit(session: Session, event: Event, *, delay: timedelta = timedelta()) -> None:
    """Queue every job that listens to this event: no lost job, no phantom job.

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
    unique = f"{kind.name}:{known[kind.unique_by]}" if kind.unique_by else None
    jobs.insert(session, kind, known, unique_key=unique, run_at=run_at, brand_id=session.info.get("brand_id"))
