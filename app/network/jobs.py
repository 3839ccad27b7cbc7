"""Tidying that keeps tables of passing things short."""

from datetime import timedelta

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.jobs import again, job
from app.core.tables import UtcDateTime

SLICE = 500  # rows of one write, so that a till never waits long; a full one is followed by another at once
KEYS_LIVE = timedelta(days=30)  # an Idempotency-Key; part of the till API
JOBS_LIVE = timedelta(days=14)  # a finished job; a dead one stays until somebody looks
_BEFORE = bindparam("before", type_=UtcDateTime)
_ANSWERS = text(
    "DELETE FROM answer WHERE id IN (SELECT id FROM answer WHERE at < :before ORDER BY at LIMIT :most)"
).bindparams(_BEFORE)
_JOBS = text(
    "DELETE FROM job WHERE id IN (SELECT id FROM job WHERE state = 'done' AND finished_at < :before LIMIT :most)"
).bindparams(_BEFORE)

_TRIES = text("DELETE FROM counter WHERE key IN (SELECT key FROM counter WHERE until < :before LIMIT :most)")


@job("network.forget_answers", every=timedelta(minutes=10), priority=9)
def forget_answers(session: Session) -> None:
    """Forget the answers under keys that are over, in every brand."""
    values = {"before": clock.now() - KEYS_LIVE, "most": SLICE}
    done = session.connection().execute(_ANSWERS, values, execution_options={"finds_brand": True})
    if done.rowcount >= SLICE:
        again(session, "network.forget_answers", now=clock.now())


@job("network.forget_jobs", every=timedelta(minutes=10), priority=9)
def forget_jobs(session: Session) -> None:
    """Forget what was done long ago."""
    done = session.connection().execute(_JOBS, {"before": clock.now() - JOBS_LIVE, "most": SLICE})
    if done.rowcount >= SLICE:
        again(session, "network.forget_jobs", now=clock.now())


@job("network.forget_tries", every=timedelta(minutes=10), priority=9)
def forget_tries(session: Session) -> None:
    """Forget counted tries whose window was over a day ago."""
    before = int((clock.now() - timedelta(days=1)).timestamp())
    done = session.connection().execute(_TRIES, {"before": before, "most": SLICE})
    if done.rowcount >= SLICE:
        again(session, "network.forget_tries", now=clock.now())
