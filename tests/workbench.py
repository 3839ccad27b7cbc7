"""What the tests of the worker share: jobs of the test only, and effects that can be counted."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core import clock, jobs
from app.core.db import Database
from app.core.events import enqueue
from app.core.jobs import Job
from app.core.limits import Counter
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.worker import Worker

LEASE = timedelta(seconds=30)
_BUMP = text(
    "INSERT INTO counter (key, until, n) VALUES (:key, 0, 1) ON CONFLICT (key) DO UPDATE SET n = counter.n + 1"
)


def bump(session: Session, key: str = "effect") -> None:
    """Leave an effect that can be counted."""
    session.connection().execute(_BUMP, {"key": key})


def count(session: Session, key: str = "effect") -> int:
    """Count the effects in a session."""
    return session.scalar(select(Counter.n).where(Counter.key == key)) or 0


def rows(database: Database) -> list[Job]:
    """Return every row of the outbox."""
    with database.reading() as session:
        return list(session.scalars(select(Job).order_by(Job.id)))


class Workbench:
    """Workers over one database, whose jobs a test registers with `job` and `sending_job`."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings, self.database = settings, database

    def worker(self, **shared: Any) -> Worker:
        """Make a worker, as another process would."""
        return Worker(Runtime(self.settings, self.database, shared), lease=LEASE)

    def queue(self, name: str, *, session: Session | None = None, **arguments: object) -> None:
        """Queue a job, in a unit of its own unless one is given."""
        if session is not None:
            enqueue(session, jobs.kinds()[name], arguments, run_at=clock.now())
            return
        with self.database.unit() as own:
            self.queue(name, session=own, **arguments)

    def effects(self, key: str = "effect") -> int:
        """Count the effects that were committed."""
        with self.database.reading() as session:
            return count(session, key)

    def states(self) -> list[str]:
        """Return the states of all jobs, the oldest first."""
        return [row.state for row in rows(self.database)]

    def row(self) -> Job:
        """Return the only job."""
        (row,) = rows(self.database)
        return row


@pytest.fixture
def bench(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """A workbench on each database, which knows the jobs of its test only."""
    monkeypatch.setattr(jobs, "_kinds", {})
    monkeypatch.setattr(jobs, "_listeners", {})
    return Workbench(settings, database)
