"""The demo's history: believable, made by the services, and neither doubled nor halved by a restart."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app import registry
from app.cards.models import Award
from app.core import clock
from app.core.db import Database
from app.core.jobs import Job, kinds
from app.fakes import demo
from app.fakes.history import KEY, History, Stopped
from app.fakes.history_plan import ZONE, Buy, Confirm, Join, Step, TakeBack, plan
from app.ledger.models import Purchase
from app.members.models import ConsentEvent, Contact, Member
from app.network import service
from app.rewards.models import Coupon, Redemption

END = datetime(2026, 11, 22, 9, tzinfo=UTC)


def small(end: datetime) -> list[Step]:
    return plan(end, days=20, members=8)


def state(database: Database) -> dict[str, object]:
    """Return what the history left, but for random codes and ids."""
    with database.reading() as session:
        brand = service.brand_by_slug(session, demo.SLUG)
    with database.reading(brand.id) as session:
        tables = (Member, Contact, ConsentEvent, Purchase, Award, Coupon, Redemption)
        counts = {t.__tablename__: session.scalar(select(func.count()).select_from(t)) for t in tables}
        money = session.scalar(select(func.sum(Purchase.total_cents)))
        states = Counter(session.scalars(select(Coupon.state)))
        broken = [found for _, check in registry.invariants() for found in check(session)]
        return {**counts, "money": money, "coupons": states, "jobs": session.scalar(select(func.count(Job.id)))} | {
            "broken": broken, "done": brand.settings[KEY]["done"], "of": brand.settings[KEY]["of"],
        }  # fmt: skip


def crash(done: int) -> None:
    """Die when 31 steps are committed."""
    1 // (31 - done)


def test_a_history_that_was_stopped_and_killed_goes_on_to_the_same_end(database: Database) -> None:
    with clock.moved(to=END):
        demo.load_brand(database)
        history = History(database, small)
        with pytest.raises(Stopped):
            history.play(progress=lambda done: history.halt() if done == 20 else None)
        with pytest.raises(ZeroDivisionError):  # a crash right after a commit
            History(database, small).play(progress=crash)

        History(database, small).play()
        after = state(database)

    steps = small(END)
    kinds = Counter(type(step) for step in steps)
    assert (after["done"], after["of"], after["broken"], after["jobs"]) == (len(steps), len(steps), [], 0)
    assert (after["member"], after["purchase"]) == (kinds[Join], kinds[Buy])
    assert after["money"] == sum(step.cents for step in steps if isinstance(step, Buy))


def test_a_second_player_changes_nothing(sqlite: Database) -> None:
    with clock.moved(to=END):
        demo.load_brand(sqlite)
        late = History(sqlite, small)
        History(sqlite, small).play()
        before = state(sqlite)

        with pytest.raises(Stopped):
            late.play()

        assert state(sqlite) == before
        History(sqlite, small).play()
        assert state(sqlite) == before


def test_the_plan_is_believable_and_always_the_same() -> None:
    steps = plan(END)
    buys = [step for step in steps if isinstance(step, Buy)]
    outlets, hours = Counter(buy.outlet for buy in buys), Counter(buy.at.astimezone(ZONE).hour for buy in buys)
    guests = Counter(buy.person.number for buy in buys)

    assert steps == plan(END)
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert END - timedelta(days=91) < steps[0].at < steps[-1].at < END
    assert sum(isinstance(step, Join) for step in steps) == 200
    assert 150 < sum(isinstance(step, Confirm) for step in steps) < 190
    assert 1 <= sum(isinstance(step, TakeBack) for step in steps) < 60
    assert outlets["kallio"] > 2 * outlets["turku"] > 2 * outlets["verkko"] > 0
    assert hours[8] > hours[10] > hours[17] > 0
    assert not any(0 <= hour < 7 for hour in hours)
    assert max(guests.values()) > 40
    assert sum(count <= 2 for count in guests.values()) > 20
    assert len({step.person.contact for step in steps if isinstance(step, Join)}) == 200


def test_codes_that_the_worker_tidies_away_meanwhile_are_asked_for_again(sqlite: Database) -> None:
    def tidy(_done: int) -> None:
        with sqlite.unit() as session:
            kinds()["members.forget_codes"].run(session)

    demo.load_brand(sqlite)
    History(sqlite, small).play(progress=tidy)

    with sqlite.reading() as session:
        brand = service.brand_by_slug(session, demo.SLUG)
    with sqlite.reading(brand.id) as session:
        confirmed = session.scalar(select(func.count()).select_from(Member).where(Member.state == "confirmed"))
    assert confirmed == len([step for step in small(END) if isinstance(step, Confirm)])
