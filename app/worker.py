"""Claims jobs and runs them: as a thread of `leima run`, or as `leima work`."""

import json
import random
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import structlog
from sqlalchemy import BindParameter, bindparam, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core import clock, jobs
from app.core.jobs import LEASE, JobKind, RetryLater
from app.core.log import log
from app.core.runtime import Runtime
from app.core.tables import UtcDateTime

PAUSE_GROWS_TO = timedelta(minutes=5)  # a provider that was away for an hour is asked this often
IDLE = 0.2  # seconds between looks at an empty table
_MOMENTS = (bindparam("now", type_=UtcDateTime), bindparam("until", type_=UtcDateTime))
_NAMES: BindParameter[str] = bindparam("names", expanding=True)
# A lease that ran out is a failure: else a job that kills its worker each time would be claimed for ever. A job that
# this process does not know waits for a newer one.
_CLAIM = (
    "UPDATE job SET state = 'running', attempt = attempt + 1, leased_until = :until, "
    "failures = failures + CASE WHEN state = 'running' THEN 1 ELSE 0 END WHERE id = (SELECT id FROM job WHERE "
    "{due} AND name IN :names ORDER BY {order} LIMIT 1 {lock}) "
    "RETURNING id, name, brand_id, arguments, attempt, failures, unique_key"
)
# Two statements and no OR, since each then reads its own partial index from the top, however long the queue is. What
# a dead worker left goes first: it is the oldest, and a backlog must not keep it waiting.
_DUE = (
    ("state = 'running' AND leased_until <= :now", "leased_until"),
    ("state = 'queued' AND run_at <= :now", "priority, run_at, id"),
)
CLAIM = {
    dialect: tuple(
        text(_CLAIM.format(due=due, order=order, lock=lock)).bindparams(*_MOMENTS, _NAMES) for due, order in _DUE
    )
    for dialect, lock in (("sqlite", ""), ("postgresql", "FOR UPDATE SKIP LOCKED"))
}
DONE = text(
    "UPDATE job SET state = 'done', finished_at = :now, leased_until = NULL, error = NULL "
    "WHERE id = :id AND attempt = :attempt AND state = 'running'"
).bindparams(_MOMENTS[0])
PUT_BACK = text(
    "UPDATE job SET state = :state, run_at = :until, leased_until = NULL, error = :error, finished_at = :now, "
    "failures = failures + :failed, unique_key = CASE WHEN :alone THEN NULL ELSE unique_key END "
    "WHERE id = :id AND attempt = :attempt AND state = 'running'"
).bindparams(*_MOMENTS)
HOLD = text(
    "UPDATE job SET leased_until = :until WHERE id = :id AND attempt = :attempt AND state = 'running'"
).bindparams(_MOMENTS[1])
WAITING_TWIN = text("SELECT 1 FROM job WHERE unique_key = :unique_key AND state = 'queued'")


class LeaseLost(Exception):
    """Somebody else claimed this row after our lease ran out; what we would write is refused."""


class LeaseExpired(Exception):
    """The job's workers died under it as often as it may fail."""


@dataclass(frozen=True)
class Claim:
    """A row of the outbox that this worker holds, with its fence."""

    id: int
    kind: JobKind
    brand_id: int | None
    arguments: dict[str, Any]
    attempt: int
    failures: int
    unique_key: str | None


class Worker:
    """Runs jobs until stopped. Several workers, also in other processes, share the table safely.

    Args:
        long: only the jobs that take minutes, or only the others, which must not wait for them; None for all.
    """

    def __init__(self, runtime: Runtime, *, lease: timedelta = LEASE, long: bool | None = None) -> None:
        self.runtime = runtime
        self.lease = lease
        self.long = long
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._made: dict[str, Any] = {}
        self._turns: dict[str, int] = {}

    def start(self) -> None:
        """Run in a thread of this process."""
        self._thread = threading.Thread(target=self.run, name="worker", daemon=True)
        self._thread.start()

    def stop(self, wait: float = 10) -> None:
        """End after the job at hand; wait at most `wait` seconds."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(wait)

    def run(self) -> None:
        """Work until stopped; a database that is away for a while is waited for."""
        while not self._stop.is_set():
            try:
                self.queue_periodic()
                busy = self.run_one()
            except Exception as error:
                log.error("worker", error=type(error).__name__, exc_info=error)
                self._stop.wait(2)
                continue
            if not busy:
                self._stop.wait(IDLE)

    def drain(self, most: int = 10_000) -> int:
        """Run what is due, for tests and set-up; return how many jobs ran."""
        for count in range(most):
            if not self.run_one():
                return count
        raise RuntimeError("jobs go on queuing jobs")

    def queue_periodic(self) -> None:
        """Queue each periodic job once for its turn, however many workers look."""
        now = clock.now()
        for kind in jobs.kinds().values():
            if kind.every is None:
                continue
            turn = int(now.timestamp() // kind.every.total_seconds())
            if self._turns.get(kind.name) == turn:
                continue
            with self.runtime.database.unit() as session:
                jobs.insert(session, kind, {}, run_at=now, brand_id=None, slot=f"{kind.name}:{turn}")
            self._turns[kind.name] = turn

    def run_one(self) -> bool:
        """Claim and run one job; False when none is due."""
        claim = self.claim()
        if claim is None:
            return False
        structlog.contextvars.bind_contextvars(job_id=claim.id, job=claim.kind.name)
        try:
            if claim.failures >= claim.kind.retries:
                raise LeaseExpired
            self._execute(claim)
        except LeaseLost:
            log.warning("lease lost", attempt=claim.attempt)
        except Exception as error:
            self._failed(claim, error)
        finally:
            structlog.contextvars.unbind_contextvars("job_id", "job")
        return True

    def claim(self) -> Claim | None:
        """Take the next due row under a lease."""
        now = clock.now()
        with self.runtime.database.unit() as session:
            connection = session.connection()
            mine = [kind.name for kind in jobs.kinds().values() if self.long in (None, kind.long)]
            values = {"now": now, "until": now + self.lease, "names": mine}
            found = (connection.execute(statement, values).first() for statement in CLAIM[connection.dialect.name])
            row = next((row for row in found if row is not None), None)
        if row is None:
            return None
        kind = jobs.kinds()[row.name]
        return Claim(row.id, kind, row.brand_id, json.loads(row.arguments), row.attempt, row.failures, row.unique_key)

    def _execute(self, claim: Claim) -> None:
        if claim.kind.long:
            self._compute(claim)
        elif claim.kind.sends:
            self._send(claim)
        else:
            with self.runtime.database.unit(claim.brand_id) as session:
                claim.kind.run(session, **claim.arguments)
                self._done(session, claim)

    def _make(self, kind: JobKind) -> Any:
        if kind.name not in self._made:
            self._made[kind.name] = kind.run(self.runtime)
        return self._made[kind.name]

    def _compute(self, claim: Claim) -> None:
        """Run a long job; each step holds the lease anew. A worker that is told to stop leaves it to the next one."""
        database, long = self.runtime.database, cast(jobs.Long, self._make(claim.kind))
        with database.unit(claim.brand_id) as session:
            work = long.prepare(session, **claim.arguments)
            self._hold(session, claim)
        for step in long.steps(work) if work is not None else ():
            with database.unit(claim.brand_id) as session:
                long.note(session, work, step)
                self._hold(session, claim)
            if self._stop.is_set():
                raise RetryLater(timedelta())
        with database.unit(claim.brand_id) as session:
            if work is not None:
                long.finish(session, work)
            self._done(session, claim)

    def _send(self, claim: Claim) -> None:
        database, sending = self.runtime.database, cast(jobs.Sending, self._make(claim.kind))
        with database.unit(claim.brand_id) as session:
            envelopes = sending.prepare(session, **claim.arguments)
            self._hold(session, claim)
        results = sending.send(envelopes) if envelopes else []
        with database.unit(claim.brand_id) as session:
            pause = sending.finish(session, results)
            if pause is None:
                self._done(session, claim)
            else:
                self._pause(session, claim, pause)

    def _hold(self, session: Session, claim: Claim) -> None:
        """Refuse to send what another worker has claimed meanwhile; else begin a whole new lease."""
        values = {"id": claim.id, "attempt": claim.attempt, "until": clock.now() + self.lease}
        if session.connection().execute(HOLD, values).rowcount != 1:
            raise LeaseLost

    def _done(self, session: Session, claim: Claim) -> None:
        values = {"id": claim.id, "attempt": claim.attempt, "now": clock.now()}
        if session.connection().execute(DONE, values).rowcount != 1:
            raise LeaseLost

    def _pause(self, session: Session, claim: Claim, least: timedelta) -> None:
        """Put the job back for what its provider did not take, in the commit of its results; no failure of ours."""
        pause = max(least, min(backoff(claim.attempt), PAUSE_GROWS_TO))
        if not self._put_back(session, claim, state="queued", after=pause, error="paused", failed=0):
            raise LeaseLost

    def _failed(self, claim: Claim, error: Exception) -> None:
        """Put the job back with a growing pause, or to the dead ones; only the error's class is kept."""
        asked = isinstance(error, RetryLater)
        dead = not asked and claim.failures + 1 >= claim.kind.retries
        pause = error.after if isinstance(error, RetryLater) else backoff(claim.failures + 1)
        with self.runtime.database.unit(claim.brand_id) as session:
            kept = self._put_back(
                session, claim, state="dead" if dead else "queued", after=pause, error=type(error).__name__,
                failed=0 if asked else 1,
            )  # fmt: skip
            if kept and dead and claim.kind.long:
                self._make(claim.kind).give_up(session, **claim.arguments)
        if not asked:
            log.error("job failed", attempt=claim.attempt, dead=dead, error=type(error).__name__, exc_info=error)

    def _put_back(
        self, session: Session, claim: Claim, *, state: str, after: timedelta, error: str, failed: int
    ) -> bool:
        """Give the row back under the fence; False where the lease was lost.

        Where a newer change has queued the same job meanwhile, that one does a database job's work too, and that of a
        repeatable one. Another sending job goes on under no key beside it, since its messages wait for their own end.
        """
        connection, now = session.connection(), clock.now()
        key = claim.unique_key if state == "queued" else None
        twin = bool(key and connection.execute(WAITING_TWIN, {"unique_key": key}).scalar())
        values = {
            "id": claim.id, "attempt": claim.attempt, "now": now, "until": now + after, "error": error,
            "failed": failed,
        }  # fmt: skip

        def write(*, alone: bool) -> bool:
            ends = "done" if alone and (claim.kind.repeatable or not claim.kind.sends) else state
            return bool(connection.execute(PUT_BACK, {**values, "state": ends, "alone": alone}).rowcount == 1)

        try:
            with connection.begin_nested():
                return write(alone=twin)
        except IntegrityError:  # PostgreSQL: the twin was committed between our look and our write
            return write(alone=True)


def backoff(attempt: int) -> timedelta:
    """Return the pause after a failure: 1, 2, 4 … seconds with jitter, an hour at most."""
    seconds = min(2 ** (attempt - 1), 3600)
    return timedelta(seconds=seconds * random.uniform(0.5, 1.5))  # noqa: S311 - jitter is no secret
