"""Whatever happens to a brand's members, they hold what a plain model says, and the books are right in the end.

Over the real services, each step in a unit of its own, on both databases. See `life_model` and `life_brand`;
`test_life_twins` has what these lives have to catch.
"""

import itertools
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from app.cards.returns import NotThatMuchLeft
from app.core import clock
from app.core.db import Database
from app.ledger.accounts import BalanceTooSmall
from app.ledger.service import ReceiptKnown, TimeOutOfRange
from app.rewards.service import CouponNotUsable
from tests.cards.life_brand import Brand, Crash
from tests.cards.life_model import PURSES, Model, Sale, Version, moment
from tests.cards.life_serial import SLUG, Card, SerialLife
from tests.cards.life_things import GiftLife
from tests.ledger.units import DAY
from tests.members.races import FULL
from tests.seeds import drawn, say
from tests.shop import faults

RUNS = {"sqlite": 500 if FULL else 30, "postgresql": 100 if FULL else 10}
STEPS = 20 if FULL else 12
NUMBERS = itertools.count()
WHICH = st.integers(0, 99)  # of what there is, counted round and round
PRICE, QUANTITY = st.sampled_from([90, 400, 1250, 2000]), st.integers(1, 3)
OUTLET, ACTS = st.integers(0, 1), ("join", "buy", "refund", "merge", "jobs")
SEASON = (1, 2, 4, 6, 8, 10, 12)  # months that release; lives begin on January 1
CHANGES = [
    ("stamps", {"step": 500, "size": 4}), ("stamps", {"step": 300, "size": 6}), ("bonus", {"bp": 3000, "months": 2}),
    ("bonus", {"bp": 250, "months": 0}),
]  # fmt: skip


class Life(RuleBasedStateMachine):
    """One brand, beginning with one member."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        known = {program: [Version()] for program in ("stamps", "bonus", "points", "visits", SLUG)}
        known["season"] = [Version(bp=1500, months=1, release=SEASON)]
        self.serials: list[Card] = []
        self.model, self.now = Model(known), 8 * 60  # minutes
        self.brand = Brand(database, f"life-{next(NUMBERS)}", known)

    def teardown(self) -> None:
        """Check all books of what this life has left."""
        with self.brand.database.reading(self.brand.brand_id) as session:
            assert faults(session) == []

    def step(self) -> AbstractContextManager[None]:
        """Let a minute go by."""
        self.now += 1
        return clock.moved(to=moment(self.now))

    def a_sale(self, member: int, price: int, quantity: int, pays: int, purse: str = "bonus") -> Sale:
        """Build a sale of now that pays up to a third, two thirds or all with bonus."""
        who, total = self.model.who(member % len(self.model.members)), price * quantity
        spent = min(self.model.holds(who, purse, self.now), total * pays // 3)
        return Sale(member % len(self.model.members), 0, self.now, price, quantity, max(spent, 0), purse)

    @precondition(lambda self: len(self.model.members) < 3)
    @rule()
    def join(self) -> None:
        with self.step(), self.brand.unit() as session:
            member_id = self.brand.join(session)
        self.brand.members.append(member_id)
        self.model.members.append(None)

    @rule(member=WHICH, price=PRICE, quantity=QUANTITY, outlet=OUTLET, late=st.booleans())
    def buy(self, member: int, price: int, quantity: int, outlet: int, late: bool) -> None:
        with self.step():
            sale = replace(self.a_sale(member, price, quantity, 0), outlet=outlet)
            if late:
                sale.at = self.now - 2 * DAY  # a till that was offline
            self.book(sale)

    @precondition(lambda self: self.with_bonus())
    @rule(which=WHICH, price=PRICE, quantity=QUANTITY, pays=st.integers(1, 3))
    def pay(self, which: int, price: int, quantity: int, pays: int) -> None:
        rich = self.with_bonus()
        member, purse = rich[which % len(rich)]
        with self.step():
            self.book(self.a_sale(member, price, quantity, pays, purse))

    def with_bonus(self) -> list[tuple[int, str]]:
        """Return who has bonus to spend, and where."""
        found = itertools.product(self.model.living(), PURSES)
        return [(member, purse) for member, purse in found if self.model.holds(member, purse, self.now + 1) > 0]

    def book(self, sale: Sale, *, gifts: dict[int, int | None] | None = None) -> None:
        """Book a sale in both worlds."""
        with self.brand.unit() as session:
            booked = self.brand.buy(session, sale, gifts=gifts)
        self.brand.purchases.append(booked.purchase_id)
        self.model.buy(sale, self.now)

    @rule(member=WHICH, more=st.integers(1, 500))
    def spend_too_much(self, member: int, more: int) -> None:
        with self.step():
            sale = self.a_sale(member, 10_000, 1, 0)
            sale.spent = max(self.model.holds(self.model.who(sale.member), "bonus", self.now), 0) + more
            with pytest.raises(BalanceTooSmall), self.brand.unit() as session:
                self.brand.buy(session, sale)

    @precondition(lambda self: self.model.sales)
    @rule(which=WHICH)
    def replay(self, which: int) -> None:
        sale = self.model.sales[which % len(self.model.sales)]
        with self.step(), pytest.raises((ReceiptKnown, TimeOutOfRange)), self.brand.unit() as session:
            self.brand.buy(
                session, replace(sale, spent=0, gifts=[]), self.brand.receipt(session, which % len(self.model.sales))
            )

    @precondition(lambda self: self.model.sales)
    @rule(which=WHICH, quantity=st.none() | st.integers(1, 2))
    def refund(self, which: int, quantity: int | None) -> None:
        number = len(self.model.sales) - 1 - which % min(len(self.model.sales), 3)  # one of the newest
        sale = self.model.sales[number]
        left = sale.quantity - sale.gone
        with self.step():
            if quantity is not None and quantity > left:
                with pytest.raises(NotThatMuchLeft), self.brand.unit() as session:
                    self.brand.refund(session, number, quantity)
                return
            with self.brand.unit() as session:
                assert self.brand.refund(session, number, quantity).repeated is sale.whole
            if not sale.whole:
                self.model.refund(sale, left if quantity is None else quantity, self.now)

    @precondition(lambda self: self.model.coupons)
    @rule(which=WHICH, outlet=st.integers(0, 1), basket=st.none() | WHICH)
    def redeem(self, which: int, outlet: int, basket: int | None) -> None:
        number = which % len(self.model.coupons)
        coupon = self.model.coupons[number]
        sale = None if basket is None else self.model.sales[basket % len(self.model.sales)]
        if sale and sale.whole:
            sale = None
        basket = None if sale is None else self.model.sales.index(sale)
        with self.step():
            if coupon.state != "issued" or coupon.expires <= self.now:
                with pytest.raises(CouponNotUsable), self.brand.unit() as session:
                    self.brand.redeem(session, number, outlet, basket)
                return
            with self.brand.unit() as session:
                self.brand.redemptions[number] = self.brand.redeem(session, number, outlet, basket)
        coupon.state, coupon.sale = "redeemed", sale

    @precondition(lambda self: self.brand.redemptions)
    @rule(which=WHICH)
    def reverse(self, which: int) -> None:
        number = sorted(self.brand.redemptions)[which % len(self.brand.redemptions)]
        coupon = self.model.coupons[number]
        with self.step(), self.brand.unit() as session:
            assert self.brand.reverse(session, number) is (coupon.state != "redeemed")
        if coupon.state == "redeemed":
            coupon.state = "issued"

    @rule(days=st.sampled_from([1, 2, 10, 40]), jobs=st.booleans())
    def wait(self, days: int, jobs: bool) -> None:
        self.now += days * DAY
        if jobs:
            with self.step(), self.brand.unit() as session:
                self.brand.run_jobs(session)
            self.model.run_jobs(self.now)

    @precondition(lambda self: len(self.model.living()) > 1)
    @rule(which=WHICH, into=WHICH)
    def merge(self, which: int, into: int) -> None:
        living = self.model.living()
        newcomer = living.pop(which % len(living))
        kept = living[into % len(living)]
        with self.step(), self.brand.unit() as session:
            self.brand.merge(session, newcomer, kept)
        self.model.merge(newcomer, kept, self.now)

    @rule(change=st.sampled_from(CHANGES))
    def change_version(self, change: tuple[str, dict[str, int]]) -> None:
        program, values = change
        with self.step(), self.brand.unit() as session:
            version = Version(since=self.now, **values)
            self.brand.change(session, program, version)
        self.model.versions[program].append(version)

    @rule(which=WHICH, member=WHICH, act=st.sampled_from(ACTS), after=st.integers(0, 60))
    def crash(self, which: int, member: int, act: str, after: int) -> None:
        with self.step(), pytest.raises(Crash):
            self.try_to(act, which, member, after)

    def try_to(self, act: str, which: int, member: int, after: int) -> None:
        """Do something in a unit that fails."""
        living = self.model.living()
        with self.brand.unit(fails_after=after) as session:
            if act == "join":
                self.brand.join(session)
            elif act == "merge" and len(living) > 1:
                self.brand.merge(session, living[0], living[1])
            elif act == "refund" and self.model.sales:
                self.brand.refund(session, which % len(self.model.sales), None)
            elif act == "jobs":
                self.brand.run_jobs(session)
            else:
                self.brand.buy(session, self.a_sale(member, 2000, 3, which % 4))

    @invariant()
    def members_hold_what_the_model_says(self) -> None:
        balances, lots = self.brand.shown()
        for key in balances.keys() | self.model.accounts.keys():
            account = self.model.accounts[key]
            assert balances.get(key, (0, 0)) == account.holds(), key
            assert lots.get(key, []) == account.shown(), key
        assert self.brand.coupons() == [(coupon.member, coupon.state) for coupon in self.model.coupons]


class WholeLife(SerialLife, GiftLife, Life):
    """A life with gift cards and serial cards too."""


def live(
    database: Database, runs: int, *, kind: type[Life] = WholeLife, phases: tuple[Phase, ...] = tuple(Phase),
    begins: int | None = None,
) -> None:  # fmt: skip
    """Live some lives; the first that ends otherwise than the model's is shown with its steps and its seed."""
    run_state_machine_as_test(
        seed(say(drawn()) if begins is None else begins)(lambda: kind(database)),
        settings=settings(
            max_examples=runs, stateful_step_count=STEPS, database=None, print_blob=True,
            suppress_health_check=list(HealthCheck), phases=phases, report_multiple_bugs=False,
        ),
    )  # fmt: skip


def test_every_life_is_the_models(database: Database) -> None:
    live(database, RUNS[database.engine.dialect.name])
