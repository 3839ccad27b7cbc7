"""Passing things go when their time is over, and only they; on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.core import clock
from app.core.db import Database
from app.core.jobs import Job, kinds
from app.core.sessions import DoorSession, start
from app.members import sign_in
from app.members.jobs import LIVES
from app.members.models import ContactCode
from app.network.jobs import JOBS_LIVE, KEYS_LIVE
from app.network.models import Answer, Till
from tests.builders import a_brand


def run(database: Database, name: str) -> None:
    with database.unit() as session:
        kinds()[name].run(session)


def test_answers_live_for_thirty_days(database: Database) -> None:
    brand_id = a_brand(database)
    with database.unit(brand_id) as session:
        till = session.scalars(select(Till)).one()
        for key, age in (("old", KEYS_LIVE + timedelta(hours=1)), ("young", KEYS_LIVE - timedelta(hours=1))):
            at = clock.now() - age
            session.add(Answer(till_id=till.id, key=key, path="/", body_hash="", status=201, body=b"", at=at))

    run(database, "network.forget_answers")

    with database.reading(brand_id) as session:
        assert session.scalars(select(Answer.key)).all() == ["young"]


@pytest.mark.parametrize(("state", "left"), [("done", 0), ("dead", 1), ("queued", 1)])
def test_only_done_jobs_are_forgotten(database: Database, state: str, left: int) -> None:
    old = clock.now() - JOBS_LIVE - timedelta(days=1)
    with database.unit() as session:
        session.add(Job(name="x.y", arguments="{}", state=state, created_at=old, run_at=old, finished_at=old))

    run(database, "network.forget_jobs")

    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == left


def test_codes_and_logins_go_some_days_after_their_end(database: Database) -> None:
    brand_id = a_brand(database)
    with clock.moved(by=-LIVES - timedelta(days=1)), database.unit(brand_id) as session:
        sign_in.ask(session, contact="a@example.com", purpose="sign_in", member=None, browser="b", language="en")
        start(session, door="member", subject_id=1, lasts=timedelta(hours=1))
        start(session, door="member", subject_id=1, lasts=timedelta(days=365))

    run(database, "members.forget_codes")

    with database.reading(brand_id) as session:
        assert session.scalar(select(func.count()).select_from(ContactCode)) == 0
        assert session.scalar(select(func.count()).select_from(DoorSession)) == 1
