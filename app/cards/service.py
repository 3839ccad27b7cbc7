"""The one write path of earning: a purchase, its awards, filled cards and their coupons, in one transaction."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.cards import expiry, flags, granting, planning, rules, tiers, uses
from app.cards.events import progressed
from app.cards.granting import fill, give
from app.cards.paying import CodeTwice, CouponUse, Payment, Wishes, check_offers, claim_offers, plan_payment
from app.cards.planning import AwardLine, AwardPlan, Planned
from app.cards.programs import ProgramInForce, in_force
from app.core.db import brand_of
from app.core.events import emit
from app.core.sql import Sql
from app.ledger import service as ledger
from app.ledger.accounts import OpenAccount
from app.ledger.rules import Basket, Paid
from app.ledger.settling import Fact, freeze
from app.members.models import Member
from app.network.models import Till
from app.rewards import service as rewards
from app.rewards.models import Redemption
from app.rewards.service import CouponView, GiftCardView, Given

__all__ = [
    "AwardLine", "CodeTwice", "CouponUse", "PurchaseResult", "Quote", "Wishes", "fill", "quote", "record_purchase",
]  # fmt: skip

_INSERT_AWARD = Sql(
    "INSERT INTO award (brand_id, purchase_id, program_id, version_id, amount, rule, reason, parts, details, facts) "
    "VALUES (:brand_id, :purchase_id, :program_id, :version_id, :amount, :rule, :reason, :parts, :details, :facts)"
)


@dataclass(frozen=True)
class Quote:
    """What a purchase would do: how it is met, and what it earns."""

    payment: Payment
    awards: list[AwardLine]


@dataclass(frozen=True)
class PurchaseResult:
    """The answer to a till: `given` are the rewards that it brought, `redemptions` those of the payment's coupons."""

    purchase_id: int
    public_id: str
    member_id: int
    payment: Payment
    awards: list[AwardLine] = field(default_factory=list)
    given: list[Given] = field(default_factory=list)
    redemptions: list[Redemption] = field(default_factory=list)

    @property
    def paid(self) -> Paid:
        """Return how the basket was met."""
        return self.payment.paid

    @property
    def due_cents(self) -> int:
        """Return what was to pay in money; it is what earns."""
        return self.paid.due_cents

    @property
    def coupons(self) -> list[CouponView]:
        """Return the coupons that it brought."""
        return [one for one in self.given if isinstance(one, CouponView)]

    @property
    def gift_cards(self) -> list[GiftCardView]:
        """Return the gift cards that it brought."""
        return [one for one in self.given if isinstance(one, GiftCardView)]


def record_purchase(
    session: Session,
    basket: Basket,
    *,
    member: Member,
    till: Till,
    scan_id: int | None = None,
    wishes: Wishes | None = None,
) -> PurchaseResult:
    """Book a purchase: awards by the version of its moment, fills cards, issues coupons, queues the jobs.

    Args:
        basket: amounts in cents, gross; `occurred_at` picks the program version.
        member: a merged one is followed to the member it became.
        wishes: what it is paid with beside money.

    Raises:
        ReceiptKnown: this receipt was recorded before.
        AmountAbsurd, TimeOutOfRange, ReceiptInvalid, LinesDoNotSum: the basket cannot be true.
        ProgramUnknown, NotSpendable, BalanceTooSmall, SpendTooLarge, CouponUnknown, CouponNotUsable, GiftCardUnknown,
            GiftCardNotUsable, GiftCardTooSmall, CodeTwice: it cannot be paid like this.
        OfferUnknown, OfferNotUsable, OfferPriceWrong: a line cannot have its member price.
        NeedsApproval: it earns more than a cashier may give alone.

    Source: design.md section 4.
    """
    ledger.check(basket)
    wishes = wishes or Wishes()
    member_id = ledger.hold_member(session, member.id)
    programs = in_force(session, basket.occurred_at)
    context = {
        "occurred_at": basket.occurred_at, "till_id": till.id, "outlet_id": till.outlet_id, "cashier": basket.cashier,
        "approver": basket.approver,
    }  # fmt: skip
    accounts = expiry.open_current(
        session, member_id=member_id, program_ids=[program.id for program in programs], context=context
    )
    balances = {program_id: account.balance for program_id, account in accounts.items()}
    planned = _plan(session, basket, member_id, till, programs, balances, wishes, lock=True)
    purchase_id, public_id = ledger.write_purchase(
        session, basket, member_id=member_id, till=till, scan_id=scan_id, local_date=planned.at.date(),
        paid=planned.payment.paid,
    )  # fmt: skip
    if scan_id is not None:
        rewards.join_basket(session, scan_id=scan_id, purchase_id=purchase_id)
    for account in accounts.values():
        account.context["purchase_id"] = purchase_id
    result = PurchaseResult(purchase_id, public_id, member_id, planned.payment)
    _pay(session, basket, planned, accounts, result, till=till)
    claim_offers(session, basket, wishes, member_id=member_id, till=till, purchase_id=purchase_id)
    for award in planned.awards:
        _award(session, award, accounts[award.line.program.id], result, planned.at)
    tiers.after_sale(
        session, programs, member_id=member_id, purchase_id=purchase_id, at=basket.occurred_at,
        set_to=[award.outcome.tier for award in planned.awards if award.outcome.tier],
    )  # fmt: skip
    flags.write(
        session, planned.suspicions, member_id=member_id, outlet_id=till.outlet_id, staff=basket.cashier,
        at=basket.occurred_at, purchase_id=purchase_id,
    )  # fmt: skip
    return result


def quote(session: Session, basket: Basket, *, member_id: int, till: Till, wishes: Wishes | None = None) -> Quote:
    """Return what a purchase would do now, by the same decision; writes and binds nothing.

    Raises:
        AmountAbsurd and so on: what the purchase would be refused with.
    """
    ledger.check(basket)
    programs = in_force(session, basket.occurred_at)
    balances = ledger.balances(session, member_id, at=basket.occurred_at)
    planned = _plan(session, basket, member_id, till, programs, balances, wishes or Wishes(), lock=False)
    lines = [one.line for award in planned.awards for one in (award, *award.follows)]
    return Quote(planned.payment, lines)


def _plan(
    session: Session,
    basket: Basket,
    member_id: int,
    till: Till,
    programs: list[ProgramInForce],
    balances: dict[int, int],
    wishes: Wishes,
    *,
    lock: bool,
) -> Planned:
    check_offers(session, basket, wishes, member_id=member_id, till=till)
    payment = plan_payment(session, basket, wishes, till=till, programs=programs, balances=balances)
    return planning.plan_purchase(
        session, basket, member_id=member_id, outlet_id=till.outlet_id, programs=programs, balances=balances,
        payment=payment, lock=lock, offline=wishes.offline,
    )  # fmt: skip


def _pay(
    session: Session, basket: Basket, planned: Planned, accounts: dict[int, OpenAccount], result: PurchaseResult, *,
    till: Till,
) -> None:  # fmt: skip
    """Take what the basket is paid with beside money, and freeze what its outlet is owed for it."""
    programs = {award.line.program.id: award.line.program for award in planned.awards}
    for program_id, cents in planned.payment.spends.items():
        program = programs[program_id]
        entry_id = accounts[program_id].spend("spend", cents, version_id=program.version_id)
        fact = Fact(
            "bonus_spent", cents, "ledger_entry", entry_id, basket.occurred_at, result.purchase_id,
            cost_centre_id=program.cost_centre_id, campaign=program.campaign,
        )  # fmt: skip
        freeze(session, fact, till=till)
        _tell(session, result, program_id, -cents, entry_id)
    for use in planned.payment.coupons:
        redemption = rewards.redeem(
            session, use.view.code, till=till, purchase_id=result.purchase_id, at=basket.occurred_at,
            discount_cents=use.discount_cents, settlement_cents=use.settlement_cents,
            line_discounts=use.line_discounts,
        )  # fmt: skip
        result.redemptions.append(redemption)
    for gift in planned.payment.gift_cards:
        rewards.use_gift_card(
            session, gift.view.card, gift.cents, till=till, purchase_id=result.purchase_id, at=basket.occurred_at
        )


def _award(session: Session, award: AwardPlan, account: OpenAccount, result: PurchaseResult, local: datetime) -> None:
    line, program = award.line, award.line.program
    _INSERT_AWARD.run(session, _award_row(session, award, result.purchase_id))
    if line.amount:
        entry_id = account.add("earn", line.amount, award.terms, version_id=program.version_id, rule=line.rule)
        fill(session, program, account, result.member_id, result.given, line.filled, award.fill)
        _tell(session, result, program.id, line.amount, entry_id)
    for gift in award.gifts:
        given = give(session, gift, program, account, member_id=result.member_id, purchase_id=result.purchase_id)
        result.given.append(given)
    granting.ask_messages(session, award, member_id=result.member_id)
    result.awards.append(line)
    for one in granting.follow(session, award, account, member_id=result.member_id):
        result.awards.append(one.line)
        result.given.extend(one.rewards)
    uses.write(
        session, award.outcome.uses, program_id=program.id, member_id=result.member_id, purchase_id=result.purchase_id,
        day=local.date(),
    )  # fmt: skip


def _award_row(session: Session, award: AwardPlan, purchase_id: int) -> dict[str, Any]:
    line = award.line
    return {
        "brand_id": brand_of(session),
        "purchase_id": purchase_id,
        "program_id": line.program.id,
        "version_id": line.program.version_id,
        "amount": line.amount,
        "rule": line.rule,
        "reason": line.reason,
        "parts": json.dumps(rules.parts_to_json(line.parts)),
        "details": json.dumps(dict(line.details)),
        "facts": json.dumps(rules.facts_to_json(award.facts)),
    }


def _tell(session: Session, result: PurchaseResult, program_id: int, amount: int, entry_id: int) -> None:
    emit(
        session,
        progressed(
            member_id=result.member_id, program_id=program_id, amount=amount, purchase_id=result.purchase_id,
            entry_id=entry_id,
        ),
    )  # fmt: skip
