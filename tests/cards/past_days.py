"""A shop with past purchases, for simulations: days of one autumn, local to Helsinki."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.cards import rules
from app.cards.replay import Draft
from app.cards.service import PurchaseResult, record_purchase
from app.cards.simulate import Question, simulate
from app.cards.simulated import Simulation
from app.core import clock
from app.core.crypto import random_symbols
from app.ledger.service import Basket, Line
from app.members.models import Member
from tests.shop import Shop

HELSINKI = ZoneInfo("Europe/Helsinki")
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)


def moment(month: int, day: int, hour: int = 12) -> datetime:
    """Return an hour of 2026 in Helsinki."""
    return datetime(2026, month, day, hour, tzinfo=HELSINKI)


def bought(
    shop: Shop,
    at: datetime,
    cents: int,
    *,
    member: Member | None = None,
    lines: tuple[Line, ...] = (),
    far: bool = False,
) -> PurchaseResult:
    """Book a purchase at a moment, at the far outlet or the near one."""
    basket = Basket(cents, random_symbols(10), at, lines=lines)
    with clock.moved(to=at + timedelta(seconds=1)):
        return record_purchase(
            shop.session, basket, member=member or shop.member, till=shop.far_till if far else shop.till
        )


def a_draft(kind: str, plan: dict[str, Any], *, size: int | None = None, reward: str | None = None) -> Draft:
    """Build a draft from the JSON of its plan."""
    return Draft(kind, rules.parse(kind, plan), size, reward)


def stamps(cents: int, *, size: int = 10, reward: str = "reward-coffee") -> Draft:
    """Build a stamp card: a stamp for each full so many cents."""
    return a_draft("stamp_card", {"per": "euros", "cents": cents}, size=size, reward=reward)


def simulated(shop: Shop, draft: Draft, current: Draft | None = None, **fields: Any) -> Simulation:
    """Simulate October, at a margin of 40 percent, unless something else is said."""
    return simulate(shop.session, asking(draft, current, **fields))


def asking(draft: Draft, current: Draft | None = None, **fields: Any) -> Question:
    """Ask for October, at a margin of 40 percent, unless something else is said."""
    return Question(draft, current, **{"first": FIRST, "last": LAST, "margin_bp": 4000, **fields})
