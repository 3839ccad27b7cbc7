"""Passing things go when their time is over, and only they; on both databases."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import groupby
from typing import Any

import pytest
from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from app.cards import jobs as cards_jobs
from app.cards.simulation_models import SimulationRun
from app.core import clock
from app.core.db import Database
from app.core.jobs import Job, kinds
from app.core.limits import Counter
from app.core.runtime import Runtime
from app.core.sessions import DoorSession, start
from app.core.settings import Settings
from app.ledger.models import Lot
from app.members import jobs as members_jobs
from app.members import sign_in
from app.members.jobs import LIVES
from app.members.models import ContactCode
from app.network import jobs as network_jobs
from app.network.jobs import JOBS_LIVE, KEYS_LIVE
from app.network.models import Answer, Till
from app.rewards import jobs as rewards_jobs
from app.rewards import service as rewards
from app.rewards.models import Coupon, GiftCard
from app.worker import Worker
from tests.builders import a_brand, a_member
from tests.ledger.card import a_card
from tests.shop import a_reward

Build = Callable[[Session, int], None]
LONG_AGO = -1000  # days


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


def many_answers(session: Session, n: int) -> None:
    till, at = session.scalars(select(Till)).one(), clock.now() - KEYS_LIVE - timedelta(hours=1)
    session.add_all(
        Answer(till_id=till.id, key=str(one), path="/", body_hash="", status=201, body=b"", at=at) for one in range(n)
    )


def many_jobs(session: Session, n: int) -> None:
    old = clock.now() - JOBS_LIVE - timedelta(days=1)
    session.add_all(
        Job(name="x.y", arguments="{}", state="done", created_at=old, run_at=old, finished_at=old) for _one in range(n)
    )


def many_logins(session: Session, n: int) -> None:
    with clock.moved(by=-LIVES - timedelta(days=1)):
        for _one in range(n):
            start(session, door="member", subject_id=1, lasts=timedelta(hours=1))


def many_coupons(session: Session, n: int) -> None:
    member, reward = a_member(session), a_reward(session, valid_days=1)
    for one in range(n):
        at = clock.now() - timedelta(days=2)
        rewards.issue(session, member_id=member.id, reward=reward, source_kind="fill", source_id=one, at=at)


def many_gift_cards(session: Session, n: int) -> None:
    member, at = a_member(session), clock.now() - timedelta(days=2)
    ended = {"at": at, "expires_at": at + timedelta(days=1), "member_id": member.id}
    for one in range(n):
        rewards.issue_gift_card(session, cents=500, source_kind="sale", source_id=one, **ended)


def many_lots(session: Session, n: int) -> None:
    card = a_card(session)
    for _one in range(n):
        card.earn(1, LONG_AGO)


def many_pending(session: Session, n: int) -> None:
    card = a_card(session)
    for _one in range(n):
        card.earn(1, pending=LONG_AGO)


def many_simulations(session: Session, n: int) -> None:
    card = a_card(session)
    asked = {"asked": {}, "first_day": date(2026, 1, 1), "last_day": date(2026, 1, 2), "margin_bp": 1, "asked_by": ""}
    for one in range(n):
        at = clock.now() - timedelta(days=99)
        session.add(SimulationRun(program_id=card.program_id, fingerprint=str(one), asked_at=at, **asked))


@pytest.mark.parametrize(
    ("name", "build", "left"),
    [
        ("network.forget_answers", many_answers, select(func.count()).select_from(Answer)),
        ("network.forget_jobs", many_jobs, select(func.count()).select_from(Job).where(Job.name == "x.y")),
        ("members.forget_codes", many_logins, select(func.count()).select_from(DoorSession)),
        ("rewards.expire", many_coupons, select(func.count()).select_from(Coupon).where(Coupon.state == "issued")),
        (
            "rewards.expire_gift_cards",
            many_gift_cards,
            select(func.count()).select_from(GiftCard).where(GiftCard.state == "active"),
        ),
        ("cards.expire", many_lots, select(func.count()).select_from(Lot).where(Lot.remaining > 0)),
        ("cards.release", many_pending, select(func.count()).select_from(Lot).where(Lot.pending)),
        ("cards.forget_simulations", many_simulations, select(func.count()).select_from(SimulationRun)),
    ],
)
def test_backlog_drains_at_once_in_slices(
    sqlite: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, build: Build, left: Select[Any]
) -> None:
    for module in (network_jobs, members_jobs, rewards_jobs, cards_jobs):
        monkeypatch.setattr(module, "SLICE", 5)
    brand_id = a_brand(sqlite)
    with sqlite.unit(brand_id) as session:
        build(session, 12)
        session.flush()
        session.execute(delete(Job).where(Job.name != "x.y"))

    def standing() -> int:
        with sqlite.reading(brand_id) as session:
            return session.scalar(left) or 0

    counts = []
    run(sqlite, name)
    worker = Worker(Runtime(settings, sqlite))
    counts.append(standing())
    while worker.run_one():
        counts.append(standing())

    assert [count for count, _jobs in groupby(counts)] == [7, 2, 0]  # phones are told in between


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


def test_counted_tries_go_a_day_after_their_window(database: Database) -> None:
    for key, age in (("old", timedelta(days=2)), ("young", timedelta(hours=2))):
        database.count(key, limit=5, window=timedelta(minutes=1), now=clock.now() - age)

    run(database, "network.forget_tries")

    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Counter)) == 1
