"""How a basket is met, decided before anything is written: coupons, bonus, gift cards, and money for the rest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from app.cards import tiers
from app.cards.programs import ProgramInForce
from app.core.errors import Conflict, Invalid, NotFound
from app.core.i18n import gettext as _
from app.ledger.accounts import BalanceTooSmall
from app.ledger.rules import Basket, LinePaid, Paid
from app.network.models import Till
from app.rewards import offers, rules
from app.rewards import service as rewards
from app.rewards.offers import Wanted
from app.rewards.rules import Settled
from app.rewards.service import CouponNotUsable, CouponView, GiftCardView

SPENDABLE = ("bonus",)


class ProgramUnknown(NotFound):
    """No program of this brand has this short name."""

    code = "program_unknown"


class NotSpendable(Conflict):
    """What is collected in this program is no money: it fills cards."""

    code = "program_not_spendable"


class CodeTwice(Invalid):
    """The same coupon or gift card stands twice in one basket."""

    code = "code_twice"


@dataclass(frozen=True)
class Wishes:
    """What a till asks for beside the basket.

    `spend` is a program's short name → cents of its balance to pay with; `coupons` are codes; `gift_cards` are code →
    cents, None for as much as is left to pay; `offers` are lines that name a member price. `offline` says that it is
    done already, and nobody can be asked.
    """

    spend: Mapping[str, int] = field(default_factory=dict)
    coupons: tuple[str, ...] = ()
    gift_cards: Mapping[str, int | None] = field(default_factory=dict)
    offers: tuple[Wanted, ...] = ()
    offline: bool = False


@dataclass(frozen=True)
class CouponUse:
    """A coupon on a basket: what it takes off, and what its outlet is paid, in cents."""

    view: CouponView
    discount_cents: int
    settlement_cents: int
    line_discounts: tuple[int, ...] = ()  # the discount by line, where the basket has lines


@dataclass(frozen=True)
class GiftCardUse:
    """Cents of a gift card that a basket is paid with."""

    view: GiftCardView
    cents: int


@dataclass(frozen=True)
class Payment:
    """How a basket is met; `spends` is program id → cents. Coupons and gift cards are in the order of their locks."""

    paid: Paid
    spends: Mapping[int, int] = field(default_factory=dict)
    coupons: tuple[CouponUse, ...] = ()
    gift_cards: tuple[GiftCardUse, ...] = ()


def plan_payment(
    session: Session,
    basket: Basket,
    wishes: Wishes,
    *,
    till: Till,
    programs: Iterable[ProgramInForce],
    balances: Mapping[int, int],
) -> Payment:
    """Decide how a basket is met; writes nothing.

    Args:
        balances: program id → units that can be spent.

    Raises:
        LinesDoNotSum, SpendTooLarge: see `rewards.rules.settle`.
        ProgramUnknown, NotSpendable, BalanceTooSmall: a spend cannot be.
        CouponUnknown, CouponNotUsable, GiftCardUnknown, GiftCardNotUsable, GiftCardTooSmall, CodeTwice: a code cannot.
    """
    spends = _spends(programs, wishes.spend, balances)
    coupons = _coupons(session, basket, wishes.coupons, till=till)
    cards = _gift_cards(session, wishes.gift_cards)
    uses = [_use(view) for view in coupons]
    named = {f"program {program_id}": cents for program_id, cents in spends.items()}
    rest = rules.settle(basket.total_cents, basket.lines, uses, named).due_cents
    rest -= sum(wish or 0 for _view, wish in cards)  # who names no cents pays what is left beside the others
    gifts = []
    for view, wish in cards:
        cents = rewards.usable_cents(view, wish, rest=max(rest, 0), at=basket.occurred_at)
        rest -= cents if wish is None else 0
        gifts.append(GiftCardUse(view, cents))
    named |= {f"gift card {gift.view.card.id}": gift.cents for gift in gifts}
    settled = rules.settle(basket.total_cents, basket.lines, uses, named)
    return Payment(
        _paid(settled), spends, tuple(_used(basket, view, settled) for view in coupons),
        tuple(gift for gift in gifts if gift.cents),
    )  # fmt: skip


def held_tiers(session: Session, wishes: Wishes, member_id: int, at: datetime) -> frozenset[str]:
    """Return the tiers that member prices ask about; none are looked up where no line names one."""
    return tiers.slugs(session, member_id, at) if wishes.offers else frozenset()


def check_offers(session: Session, basket: Basket, wishes: Wishes, *, member_id: int, till: Till) -> None:
    """Refuse a line that names a member price which it cannot have; changes nothing.

    Raises:
        OfferUnknown, OfferNotUsable, OfferPriceWrong: see `offers.check`.
    """
    offers.check(
        session, wishes.offers, member_id=member_id, outlet_id=till.outlet_id, at=basket.occurred_at,
        tiers=held_tiers(session, wishes, member_id, basket.occurred_at),
    )  # fmt: skip


def claim_offers(
    session: Session, basket: Basket, wishes: Wishes, *, member_id: int, till: Till, purchase_id: int
) -> None:
    """Freeze what the outlet is paid for the lines that have a member price."""
    if wishes.offers:
        offers.claim(
            session, wishes.offers, purchase_id=purchase_id, member_id=member_id, till=till, at=basket.occurred_at,
            tiers=held_tiers(session, wishes, member_id, basket.occurred_at),
        )  # fmt: skip


def _spends(
    programs: Iterable[ProgramInForce], wishes: Mapping[str, int], balances: Mapping[int, int]
) -> dict[int, int]:
    known = {program.slug: program for program in programs} if wishes else {}
    found = {}
    for slug, cents in wishes.items():
        program = known.get(slug)
        if program is None:
            raise ProgramUnknown(_("There is no such program."), program=slug)
        if program.kind not in SPENDABLE:
            raise NotSpendable(_("One cannot pay with this card."), program=slug)
        balance = balances.get(program.id, 0)
        if cents > balance:
            raise BalanceTooSmall(_("There is not that much on the card."), program=slug, balance=balance)
        if cents:
            found[program.id] = cents
    return found


def _coupons(session: Session, basket: Basket, codes: Iterable[str], *, till: Till) -> list[CouponView]:
    """Return the coupons in id order: who locks several takes them in the same order as everybody."""
    views = sorted((rewards.find(session, code) for code in codes), key=lambda view: view.coupon.id)
    if len({view.coupon.id for view in views}) < len(views):
        raise CodeTwice(_("A code stands twice in this basket."))
    for view in views:
        rewards.check_usable(session, view, till=till, total_cents=basket.total_cents, at=basket.occurred_at)
    return views


def _gift_cards(session: Session, wishes: Mapping[str, int | None]) -> list[tuple[GiftCardView, int | None]]:
    found = [(rewards.find_gift_card(session, code), cents) for code, cents in wishes.items()]
    if len({view.card.id for view, _cents in found}) < len(found):
        raise CodeTwice(_("A code stands twice in this basket."))
    return sorted(found, key=lambda one: one[0].card.id)


def _use(view: CouponView) -> rules.Use:
    reward = view.reward
    return rules.Use(
        view.coupon.public_id, reward.kind, reward.face_cents, reward.percent_bp or 0, reward.cap_cents,
        frozenset(reward.skus), frozenset(reward.groups), reward.settlement_cents,
    )  # fmt: skip


def _used(basket: Basket, view: CouponView, settled: Settled) -> CouponUse:
    """Return what a coupon does on the basket.

    Raises:
        CouponNotUsable: it would be used up for nothing.
    """
    use, discount = _use(view), settled.discounts[view.coupon.public_id]
    if discount == 0 and use.names_goods and (basket.lines or use.kind in rules.MEASURED):
        raise CouponNotUsable(_("The goods of this coupon are not in the basket."), state="goods_missing", at=None)
    if discount == 0 and use.kind in rules.MEASURED:
        raise CouponNotUsable(
            _("There is nothing left that this coupon could take off."), state="nothing_left", at=None
        )
    key = view.coupon.public_id
    return CouponUse(view, discount, settled.settlements[key], settled.coupon_lines.get(key, ()))


def _paid(settled: Settled) -> Paid:
    lines = zip(settled.line_discounts, settled.line_spends, settled.paid, strict=True)
    return Paid(
        settled.due_cents, settled.discount_cents, settled.spent_cents, tuple(LinePaid(*parts) for parts in lines)
    )
