"""Whatever happens to an account, it holds what a model holds that moves every unit by hand; broken twins do not."""

import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from app.core import clock
from app.core.db import Database, brand_of
from app.ledger import books
from app.ledger.accounts import BalanceTooSmall, OpenAccount, OpenLot, Terms
from app.network.models import Brand
from tests.builders import a_brand
from tests.ledger.card import DAY_0, Card, a_card
from tests.ledger.units import DAY, Shown, Take, Units
from tests.members.races import FULL
from tests.seeds import drawn, say

RUNS = {"sqlite": 500 if FULL else 30, "postgresql": 100 if FULL else 10}
STEPS = 40  # each a minute, fewer than a day has: so nothing expires in the very minute of a step
TWINS = 300  # lives that a broken twin has to be caught in
AMOUNT, PART = st.integers(1, 12), st.integers(1, 5)
WHICH = st.integers(0, 99)  # of what there is, counted round and round
DAYS = st.none() | st.integers(1, 6)
NUMBERS = itertools.count()


def at(minute: int | None) -> datetime | None:
    """Return a moment of the model."""
    return None if minute is None else DAY_0 + timedelta(minutes=minute)


def shown(lot: OpenLot) -> Shown:
    """Return an open lot as the model shows it; a running clock's seconds do not count."""
    expires = None if lot.expires_at is None else (lot.expires_at - DAY_0) // timedelta(minutes=1)
    return lot.remaining, expires, lot.pending


class Life(RuleBasedStateMachine):
    """Two accounts of one program, of which the first may be merged into the second."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.unit = ExitStack()
        self.session = self.unit.enter_context(database.unit(a_brand(database, f"life-{next(NUMBERS)}")))
        first = a_card(self.session)
        self.cards: list[Card] = [first, a_card(self.session, first)]
        made = [0]
        self.models = [Units(made=made), Units(made=made)]
        self.earned: list[int] = []
        self.taken: list[tuple[int, int, Take]] = []  # of which account, the entry, and the model's
        self.now, self.merged = 0, False

    def teardown(self) -> None:
        """Check the books of what this life has left."""
        with self.unit:
            assert [line for _name, check in books.INVARIANTS for line in check(self.session)] == []

    def step(self) -> AbstractContextManager[None]:
        """Let a minute go by."""
        self.now += 1
        return clock.moved(to=at(self.now))

    def one(self, which: int) -> tuple[int, OpenAccount, Units]:
        """Return one of the accounts that live on."""
        number = 1 if self.merged else which % 2
        return number, self.cards[number].open(), self.models[number]

    @rule(which=WHICH, amount=AMOUNT, days=DAYS, pending=st.booleans())
    def earn(self, which: int, amount: int, days: int | None, pending: bool) -> None:
        with self.step():
            _number, account, model = self.one(which)
            expires = None if days is None else (self.now // DAY + days) * DAY
            entry_id = account.add("earn", amount, Terms(at(expires), at(self.now) if pending else None))
            model.arrive([model.lot(entry_id, expires, pending=pending)] * amount)
            self.earned.append(entry_id)

    @rule(which=WHICH, amount=AMOUNT)
    def spend(self, which: int, amount: int) -> None:
        with self.step():
            number, account, model = self.one(which)
            if amount > model.holds()[0]:
                with pytest.raises(BalanceTooSmall):
                    account.spend("spend", amount)
                return
            self.taken.append((number, account.spend("spend", amount), model.take(amount)))

    @rule(which=WHICH, amount=AMOUNT, own=st.booleans())
    def refund(self, which: int, amount: int, own: bool) -> None:
        with self.step():
            number, account, model = self.one(which)
            reverses_id = self.earned[which % len(self.earned)] if own and self.earned else None
            entry_id = account.take("reverse_earn", amount, reverses_id=reverses_id)
            self.taken.append((number, entry_id, model.take(amount, reverses_id)))

    @precondition(lambda self: any(take.places for _number, _entry, take in self.taken))
    @rule(which=WHICH, amount=PART, grace=st.integers(1, 3))
    def put_back(self, which: int, amount: int, grace: int) -> None:
        left = [one for one in self.taken if one[2].places]
        of, reverses_id, take = left[-1 - which % min(len(left), 3)]
        amount = min(amount, len(take.places))
        with self.step():
            _number, account, model = self.one(of)
            self.session.get_one(Brand, brand_of(self.session)).grace_days = grace
            entry_id = account.put_back("reverse_spend", amount, reverses_id=reverses_id)
            model.put_back(take, amount, entry_id, now=self.now, grace=grace)

    @rule(which=WHICH, place=WHICH)
    def end_lot(self, which: int, place: int) -> None:
        with self.step():
            _number, account, model = self.one(which)
            if lots := model.lots():
                account.end_lot(account.lots()[place % len(lots)])
                gone = lots[place % len(lots)]
                model.units = [lot for lot in model.units if lot is not gone]

    @rule(which=WHICH)
    def release(self, which: int) -> None:
        with self.step():
            _number, account, model = self.one(which)
            if waiting := [lot for lot in model.lots() if lot.pending]:
                account.release(next(lot for lot in account.lots() if lot.pending))
                model.release(waiting[0])

    @rule(days=st.integers(1, 4))
    def wait(self, days: int) -> None:
        self.now += days * DAY

    @precondition(lambda self: not self.merged and self.now > 10)
    @rule()
    def merge(self) -> None:
        with self.step():
            source, into = (card.open() for card in self.cards)
            entry_id = source.hand_over(into, why={"reason": "merged"}, into_why={"reason": "merged"})
            self.models[0].hand_over(self.models[1], entry_id)
            self.merged = True

    @invariant()
    def account_holds_what_the_model_holds(self) -> None:
        for card, model in zip(self.cards, self.models, strict=True):
            account = card.open()
            assert (account.balance, account.pending) == model.holds()
            assert [shown(lot) for lot in account.lots()] == model.shown()


def live(database: Database, runs: int, *, phases: tuple[Phase, ...] = tuple(Phase)) -> None:
    """Live some lives; the first that ends otherwise than the model's is shown with its steps."""
    run_state_machine_as_test(
        seed(say(drawn()))(lambda: Life(database)),
        settings=settings(
            max_examples=runs, stateful_step_count=STEPS, database=None, print_blob=True,
            suppress_health_check=list(HealthCheck), phases=phases,
        ),
    )  # fmt: skip


def test_every_life_of_an_account_is_the_models(database: Database) -> None:
    live(database, RUNS[database.engine.dialect.name])


def by_age(lots: Callable[[OpenAccount], list[OpenLot]]) -> Callable[[OpenAccount], list[OpenLot]]:
    """Return the twin that uses the oldest lot first, whenever it expires."""
    return lambda account: sorted(lots(account), key=lambda lot: lot.id)


TWIN = {
    "spends by age": lambda patch: patch.setattr(OpenAccount, "lots", by_age(OpenAccount.lots)),
    "lets debts stand": lambda patch: patch.setattr(OpenAccount, "_pay_debts", lambda _account: None),
    "returns what is owed": lambda patch: patch.setattr(OpenAccount, "_owed_by", lambda _account, _entry: 0),
}


@pytest.mark.parametrize("name", TWIN)
def test_broken_twin_is_caught(sqlite: Database, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    TWIN[name](monkeypatch)

    with pytest.raises((AssertionError, ValueError)):
        live(sqlite, TWINS, phases=(Phase.generate,))
