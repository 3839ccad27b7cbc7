"""The demo's history: believable, made by the services, and neither doubled nor halved by a restart."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console
from sqlalchemy import func, select

from app import registry
from app.cards.models import Award
from app.cards.serial_models import SerialCard
from app.core import clock
from app.core.db import Database, DatabaseDown
from app.core.errors import Conflict
from app.core.jobs import Job, kinds
from app.fakes import demo, history, history_player
from app.fakes.history import KEY, History, Stopped
from app.fakes.history_extras import MorningBuy, SellCard, UseCard
from app.fakes.history_plan import ZONE, plan
from app.fakes.history_steps import Buy, Confirm, Join, Step, TakeBack
from app.ledger.models import Purchase, SettlementFact
from app.members import codes
from app.members.codes import CodeUnusable, Try
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
    assert (after["member"], after["purchase"]) == (kinds[Join], kinds[Buy] + kinds[MorningBuy])
    assert after["money"] == sum(step.cents for step in steps if isinstance(step, Buy))


def test_guests_buy_ten_coffees_drink_them_and_have_buns_at_the_member_price(sqlite: Database) -> None:
    """What is used of a card, the brand owes the outlet; what was sold, the outlet owes; a bun brings 0.60."""
    end = datetime(2026, 11, 20, 12, tzinfo=UTC)
    with clock.moved(to=end):
        demo.load_brand(sqlite)
        first = History(sqlite, lambda end: plan(end, days=12, members=40))
        first.play()
        brand_id = first._brand_id
    kinds = Counter(type(step) for step in first.steps)

    with sqlite.reading(brand_id) as session:
        cards = session.scalars(select(SerialCard)).all()
        facts = [(fact.kind, fact.cents) for fact in session.scalars(select(SettlementFact))]
    assert min(kinds[SellCard], kinds[UseCard], kinds[MorningBuy]) > 0
    assert (len(cards), sum(card.used for card in cards)) == (kinds[SellCard], kinds[UseCard])
    assert Counter(facts)[("serial_card_sold", -3600)] == kinds[SellCard]
    assert Counter(facts)[("serial_card_used", 360)] == kinds[UseCard]
    assert Counter(facts)[("member_price", 60)] == kinds[MorningBuy]


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
    sold, used = (Counter(s.person.number for s in steps if isinstance(s, kind)) for kind in (SellCard, UseCard))
    assert len(sold) > 10
    assert all(0 < count <= 10 * sold[number] for number, count in used.items())
    assert sum(isinstance(step, MorningBuy) for step in steps) > 20
    assert max(guests.values()) > 40
    assert sum(count <= 2 for count in guests.values()) > 20
    assert len({step.person.contact for step in steps if isinstance(step, Join)}) == 200


def tidy(database: Database) -> None:
    """Forget old codes as the worker does, which lives in the present."""
    with clock.moved(to=datetime.now(UTC)), database.unit() as session:
        kinds()["members.forget_codes"].run(session)


def confirmed(database: Database) -> int | None:
    with database.reading() as session:
        brand = service.brand_by_slug(session, demo.SLUG)
    with database.reading(brand.id) as session:
        return session.scalar(select(func.count()).select_from(Member).where(Member.state == "confirmed"))


def to_confirm(database: Database) -> int:
    return len([step for step in History(database, small).steps if isinstance(step, Confirm)])


def test_codes_that_the_worker_tidies_away_meanwhile_are_asked_for_again(sqlite: Database) -> None:
    demo.load_brand(sqlite)
    History(sqlite, small).play(progress=lambda _done: tidy(sqlite))

    assert confirmed(sqlite) == to_confirm(sqlite) > 0


@pytest.mark.parametrize("when", ["between finding and counting", "between counting and confirming"])
def test_a_code_that_is_tidied_away_in_the_middle_of_a_step_is_asked_for_again(
    database: Database, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    count, calls = codes.count_try, [0]

    def interrupted(database: Database, brand_id: int, code: str) -> Try:
        calls[0] += 1
        if calls[0] % 2 and when == "between finding and counting":
            tidy(database)
        attempt = count(database, brand_id, code)
        if calls[0] % 2:
            tidy(database)
        return attempt

    monkeypatch.setattr(codes, "count_try", interrupted)
    demo.load_brand(database)
    History(database, small).play()

    assert confirmed(database) == to_confirm(database) > 0
    assert calls[0] > to_confirm(database)


class Refused(Conflict):
    """What no step foresees."""

    code = "refused"


@pytest.mark.parametrize("error", [CodeUnusable, lambda: Refused("no")])
def test_a_step_that_is_refused_each_time_did_not_happen_and_the_others_do(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch, error: Callable[[], Exception]
) -> None:
    def refuse(*_given: object) -> Try:
        raise error()

    monkeypatch.setattr(codes, "count_try", refuse)
    demo.load_brand(sqlite)
    with clock.moved(to=END):
        History(sqlite, small).play()

        after = state(sqlite)
    assert (after["done"], after["broken"], confirmed(sqlite)) == (after["of"], [], 0)
    assert after["purchase"]


def test_a_database_that_is_away_for_a_moment_does_not_end_the_history(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, away = codes.count_try, [True]

    def sometimes(database: Database, brand_id: int, code: str) -> Try:
        if away:
            away.clear()
            raise DatabaseDown("away")
        return count(database, brand_id, code)

    monkeypatch.setattr(codes, "count_try", sometimes)
    monkeypatch.setattr(history, "PAUSE", 0.01)
    monkeypatch.setattr(history.History.__init__, "__defaults__", (small,))
    demo.load_brand(sqlite)
    player = history_player.start(sqlite, Console(quiet=True))
    player._thread.join(120)

    assert not away
    assert confirmed(sqlite) == to_confirm(sqlite) > 0
