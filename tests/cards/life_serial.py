"""Serial cards in the lives of members, told in plain Python, and the steps that sell, use and take them back."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import serial
from app.cards.serial_models import SerialCard
from app.core import clock
from app.core.crypto import random_symbols
from app.members.models import Member
from app.network.models import Till
from tests.cards.life_things import WHICH
from tests.ledger.units import DAY, Take

SLUG, USES, PRICE, MONTHS, WITHIN, CREDIT = "serial", 2, 1001, 1, 2, 200
GRACE, SKEW = 30, 5  # days; minutes that a till's clock may be slow
PLAN = {
    "uses": USES, "price_cents": PRICE, "valid_months": MONTHS,
    "speed_steps": [{"within_days": WITHIN, "credit_cents": CREDIT}],
}  # fmt: skip


@dataclass(eq=False)
class Card:
    """A serial card that was sold; `entry` put its uses into the account."""

    name: str  # as the shop knows it
    member: int
    expires: int
    entry: int
    sold: int
    used: int = 0
    lost: int = 0
    frozen: int = 0
    refunded: bool = False
    rows: list["Use"] = field(default_factory=list)

    @property
    def left(self) -> int:
        """Return how many uses are left while it lives."""
        return USES - self.used - self.lost


@dataclass(eq=False)
class Use:
    """Some uses of a card at once; the last ones may have brought a credit."""

    name: str
    card: Card
    count: int
    take: Take
    day: date
    share: int
    reversed: bool = False
    credit: int = 0
    credit_entry: int = 0


def sell(session: Session, brand: Any, member: int) -> str:
    """Sell a card."""
    who, till = session.get_one(Member, brand.members[member]), session.get_one(Till, brand.tills[0])
    return serial.sell(session, SLUG, member=who, till=till, receipt=random_symbols(8), at=clock.now()).card.public_id


def use(session: Session, brand: Any, member: int, uses: int, at: datetime) -> list[tuple[str, str, int, int]]:
    """Use cards; return the name of each use, its card, how many, and what it settles."""
    till = session.get_one(Till, brand.tills[1])
    rows = serial.use(session, SLUG, member_id=brand.members[member], till=till, uses=uses, at=at).rows
    return [(row.public_id, card.public_id, row.uses, row.share_cents) for row, card in rows]


def shown(brand: Any) -> list[tuple[str, int, int, int, int, bool, datetime]]:
    """Return what stands on the cards, in the order of their sale."""
    with brand.database.reading(brand.brand_id) as session:
        rows = session.scalars(select(SerialCard).order_by(SerialCard.id)).all()
        return [
            (row.public_id, brand.members.index(row.member_id), row.used, row.lost, row.frozen_cents,
             row.refunded_at is not None, row.expires_at)
            for row in rows
        ]  # fmt: skip


class SerialLife:
    """Steps of a life; see `test_life.Life`, which has the rest."""

    model: Any
    brand: Any
    now: int
    step: Callable[[], AbstractContextManager[None]]
    serials: list[Card]

    @rule(member=WHICH)
    def sell_serial_card(self, member: int) -> None:
        who = self.model.who(member % len(self.model.members))
        with self.step(), self.brand.unit() as session:
            name = sell(session, self.brand, who)
        self.model.entries += 1
        card = Card(name, who, self.model.month_end(self.now, MONTHS), self.model.entries, self.now)
        account = self.model.accounts[who, SLUG]
        account.arrive([account.lot(card.entry, card.expires)] * USES)
        self.serials.append(card)

    @precondition(lambda self: self.serials)
    @rule(which=WHICH, uses=st.sampled_from([1, 2, 2, 3]), late=st.booleans())
    def use_serial_card(self, which: int, uses: int, late: bool) -> None:
        who = self.model.who(self.serials[which % len(self.serials)].member)
        account = self.model.accounts[who, SLUG]
        with self.step():
            at = self.now - late * 2 * DAY  # a till that was offline
            open_still = {lot.expires for lot in account.lots()}
            mine = [card for card in self.serials if self.model.who(card.member) == who and not card.refunded]
            there = [
                card for card in mine if card.expires > at and (card.expires > self.now or card.expires in open_still)
            ]
            every, there = there, [card for card in there if card.sold <= at + SKEW]
            if uses > sum(card.left for card in there):
                bought = uses <= sum(card.left for card in every)
                refusal = serial.SerialCardSoldLater if bought else serial.UsesTooFew
                with pytest.raises(refusal), self.brand.unit() as session:
                    use(session, self.brand, who, uses, self.model.moment(at))
                return
            with self.brand.unit() as session:
                told = use(session, self.brand, who, uses, self.model.moment(at))
        account.end(at)
        rows = []
        for card in sorted(there, key=lambda card: (card.expires, self.serials.index(card))):
            part = min(card.left, uses - sum(row.count for row in rows))
            if part:
                rows.append(self._use(card, account, part, at, told[len(rows)][0]))
        assert [(row.name, row.card.name, row.count, row.share) for row in rows] == told
        for row in rows:
            self._credit(row, who, at)

    def _use(self, card: Card, account: Any, part: int, at: int, name: str) -> Use:
        card.used += part
        share = max((PRICE * card.used * 2 + USES) // (2 * USES) - card.frozen, 0)  # half up
        card.frozen += share
        row = Use(name, card, part, account.take(part, of=card.expires), self.model.local_day(at), share)
        card.rows.append(row)
        return row

    def _credit(self, row: Use, who: int, at: int) -> None:
        """Give something back for a card that was used up within days."""
        days = [one.day for one in row.card.rows if not one.reversed]
        if row.card.used < USES or (max(days) - min(days)).days + 1 > WITHIN:
            return
        self.model.entries += 1
        row.credit, row.credit_entry = CREDIT, self.model.entries
        bonus, months = self.model.accounts[who, "bonus"], self.model.version("bonus", self.now).months
        bonus.arrive([bonus.lot(row.credit_entry, self.model.month_end(at, months))] * CREDIT)

    @precondition(lambda self: any(card.rows for card in self.serials))
    @rule(which=WHICH)
    def reverse_serial_use(self, which: int) -> None:
        rows = [row for card in self.serials for row in card.rows]
        row = rows[-1 - which % min(len(rows), 3)]  # one of the newest cards'
        card, who = row.card, self.model.who(row.card.member)
        with self.step(), self.brand.unit() as session:
            till = session.get_one(Till, self.brand.tills[1])
            assert serial.reverse(session, row.name, till=till).repeated is row.reversed
        if row.reversed:
            return
        self.model.entries += 1
        account = self.model.accounts[who, SLUG]
        account.put_back(row.take, row.count, self.model.entries, now=self.now, grace=GRACE)
        if card.expires <= self.now:
            card.lost, card.expires = USES - card.used, self.now + GRACE * DAY
        for brought in card.rows:
            if brought.credit:
                self.model.accounts[who, "bonus"].take(brought.credit, brought.credit_entry)
                brought.credit = 0
        card.used, card.frozen, row.reversed = card.used - row.count, card.frozen - row.share, True

    @precondition(lambda self: self.serials)
    @rule(which=WHICH)
    def refund_serial_card(self, which: int) -> None:
        card = self.serials[which % len(self.serials)]
        with self.step():
            touched = card.used or card.lost or card.expires <= self.now
            if touched and not card.refunded:
                with pytest.raises(serial.SerialCardTouched), self.brand.unit() as session:
                    self._refund(session, card)
                return
            with self.brand.unit() as session:
                assert self._refund(session, card).repeated is card.refunded
        if not card.refunded:
            card.refunded = True
            self.model.accounts[self.model.who(card.member), SLUG].take(USES, card.entry, of=card.expires)

    def _refund(self, session: Session, card: Card) -> serial.Refunded:
        return serial.refund(session, card.name, till=session.get_one(Till, self.brand.tills[0]))

    @invariant()
    def serial_cards_are_the_models(self) -> None:
        """Compare the cards of both worlds; a running clock's seconds do not count."""
        mine = [
            (card.name, self.model.who(card.member), card.used, card.lost, card.frozen, card.refunded, card.expires)
            for card in self.serials
        ]
        assert [(*row[:-1], self.brand.minute(row[-1])) for row in shown(self.brand)] == mine
