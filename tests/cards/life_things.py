"""Gift cards in the lives of members, told in plain Python, and the steps that give them and pay with them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from app.rewards.service import GiftCardNotUsable, GiftCardTooSmall
from tests.ledger.units import DAY

WORTH, LIVES = 500, 60  # cents, days
WHICH = st.integers(0, 99)  # of what there is, counted round and round


@dataclass(eq=False)
class GiftCard:
    """A gift card: what is on it, and until when."""

    member: int
    expires: int
    cents: int = WORTH
    state: str = "active"


@dataclass
class GiftCards:
    """The gift cards of a brand, in the order of their issue."""

    gift_cards: list[GiftCard] = field(default_factory=list, kw_only=True)

    def use_gift_cards(self, uses: Sequence[tuple[GiftCard, int]]) -> None:
        """Take cents off cards; an empty one is used up."""
        for card, cents in uses:
            card.cents -= cents
            card.state = "active" if card.cents else "used"

    def give_back(self, uses: Sequence[tuple[GiftCard, int]], start: int, end: int, least: int) -> None:
        """Return the cents from a start to an end of what was used, in the order of the uses."""
        place = 0
        for card, cents in uses:
            part = min(end, place + cents) - max(start, place)
            place += cents
            if part > 0:
                card.cents += part
                card.state, card.expires = "active", max(card.expires, least)

    def end_gift_cards(self, now: int) -> None:
        """Let cards end whose time is over, with what is on them."""
        for card in self.gift_cards:
            if card.state == "active" and card.expires <= now:
                card.state, card.cents = "expired", 0


class GiftLife:
    """Steps of a life; see `test_life.Life`, which has the rest."""

    model: Any
    brand: Any
    now: int
    step: Any
    a_sale: Any
    book: Any

    @rule(member=WHICH)
    def give_gift_card(self, member: int) -> None:
        number = member % len(self.model.members)
        who = self.model.who(number)
        with self.step(), self.brand.unit() as session:
            self.brand.give_gift_card(session, who)
        self.model.gift_cards.append(GiftCard(who, self.now + LIVES * DAY))

    @precondition(lambda self: self.model.gift_cards)
    @rule(member=WHICH, which=WHICH, price=st.sampled_from([90, 400, 1250]), quantity=st.integers(1, 3), pays=WHICH)
    def pay_with_gift_card(self, member: int, which: int, price: int, quantity: int, pays: int) -> None:
        card = self.model.gift_cards[which % len(self.model.gift_cards)]
        with self.step():
            sale = self.a_sale(member, price, quantity, pays % 3)
            wish = None if pays % 2 else min(1 + 7 * pays, sale.due)
            over = card.state != "active" or card.expires <= self.now
            if over or (wish or 0) > card.cents:
                with pytest.raises(GiftCardNotUsable if over else GiftCardTooSmall), self.brand.unit() as session:
                    self.brand.buy(session, sale, gifts={self.model.gift_cards.index(card): wish})
                return
            cents = min(card.cents, sale.due) if wish is None else wish
            sale.gifts = [(card, cents)] if cents else []
            self.book(sale, gifts={self.model.gift_cards.index(card): wish})

    @invariant()
    def gift_cards_are_the_models(self) -> None:
        cards = [(card.member, card.cents, card.state, card.expires) for card in self.model.gift_cards]
        assert self.brand.gift_cards() == cards
