"""The one write path of earning: a purchase, its awards, filled cards and their coupons, in one transaction."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, bindparam, text
from sqlalchemy.orm import Session

from app.cards import flags, planning, rules, uses
from app.cards.events import progressed
from app.cards.models import RewardIssue
from app.cards.planning import AwardLine, AwardPlan, Gift, Planned, Wishes
from app.cards.programs import ProgramInForce, in_force
from app.core import clock
from app.core.db import brand_of
from app.core.errors import Invalid
from app.core.events import emit
from app.core.i18n import gettext as _
from app.core.money import split
from app.ledger import service as ledger
from app.ledger.accounts import OpenAccount, open_accounts
from app.ledger.service import Basket, LinePaid, Paid
from app.members.models import Member
from app.network.models import Till
from app.rewards import service as rewards
from app.rewards.models import Reward
from app.rewards.service import CouponView

__all__ = ["AwardLine", "PurchaseResult", "Quote", "Wishes", "fill", "quote", "record_purchase"]

_INSERT_AWARD = text(
    "INSERT INTO award (brand_id, purchase_id, program_id, version_id, amount, rule, reason, parts, details, facts) "
    "VALUES (:brand_id, :purchase_id, :program_id, :version_id, :amount, :rule, :reason, :parts, :details, :facts)"
).bindparams(*(bindparam(name, type_=JSON) for name in ("parts", "details", "facts")))


class LinesDoNotSum(Invalid):
    """The lines of the basket are not its total."""

    code = "lines_do_not_sum"


class SpendTooLarge(Invalid):
    """More was to be spent than there is to pay."""

    code = "spend_too_large"


@dataclass(frozen=True)
class Quote:
    """What a purchase would do: how it is met, and what it earns."""

    paid: Paid
    awards: list[AwardLine]


@dataclass(frozen=True)
class PurchaseResult:
    """The answer to a till."""

    purchase_id: int
    public_id: str
    member_id: int
    paid: Paid
    awards: list[AwardLine] = field(default_factory=list)
    coupons: list[CouponView] = field(default_factory=list)

    @property
    def due_cents(self) -> int:
        """Return what was to pay in money; it is what earns."""
        return self.paid.due_cents


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
        ProgramUnknown, NotSpendable, BalanceTooSmall, SpendTooLarge: it cannot be paid like this.
        NeedsApproval: it earns more than a cashier may give alone.

    Source: design.md section 4.
    """
    ledger.check(basket)
    member_id = ledger.hold_member(session, member.id)
    programs = in_force(session, basket.occurred_at)
    context = {
        "occurred_at": basket.occurred_at, "till_id": till.id, "outlet_id": till.outlet_id, "cashier": basket.cashier,
        "approver": basket.approver,
    }  # fmt: skip
    accounts = open_accounts(
        session, member_id=member_id, program_ids=[program.id for program in programs], context=context
    )
    balances = {program_id: account.balance for program_id, account in accounts.items()}
    planned = _plan(session, basket, member_id, till, programs, balances, wishes or Wishes(), lock=True)
    purchase_id, public_id = ledger.write_purchase(
        session, basket, member_id=member_id, till=till, scan_id=scan_id, paid=planned.paid
    )
    if scan_id is not None:
        rewards.join_basket(session, scan_id=scan_id, purchase_id=purchase_id)
    for account in accounts.values():
        account.context["purchase_id"] = purchase_id
    result = PurchaseResult(purchase_id, public_id, member_id, planned.paid)
    _book(session, planned, accounts, result)
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
    balances = ledger.balances(session, member_id)
    planned = _plan(session, basket, member_id, till, programs, balances, wishes or Wishes(), lock=False)
    return Quote(planned.paid, [award.line for award in planned.awards])


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
    spends = planning.spends_of(programs, wishes.spend, balances)
    paid = settle(basket, sum(spends.values()))
    return planning.plan_purchase(
        session, basket, member_id=member_id, outlet_id=till.outlet_id, programs=programs, balances=balances,
        paid=paid, spends=spends, lock=lock, offline=wishes.offline,
    )  # fmt: skip


def settle(basket: Basket, spent: int) -> Paid:
    """Return how a basket is met when some cents of it are spent from balances: each line bears its share.

    Raises:
        LinesDoNotSum: the lines are not the total.
        SpendTooLarge: more is spent than there is to pay.
    """
    amounts = [line.amount_cents for line in basket.lines]
    if basket.lines and sum(amounts) != basket.total_cents:
        raise LinesDoNotSum(_("The lines do not sum to the total."), lines_cents=sum(amounts))
    if spent > basket.total_cents:
        raise SpendTooLarge(_("More would be spent than there is to pay."), due_cents=basket.total_cents)
    shares = split(spent, amounts)
    lines = tuple(LinePaid(0, part, amount - part) for part, amount in zip(shares, amounts, strict=True))
    return Paid(basket.total_cents - spent, 0, spent, lines)


def _book(session: Session, planned: Planned, accounts: dict[int, OpenAccount], result: PurchaseResult) -> None:
    versions = {award.line.program.id: award.line.program.version_id for award in planned.awards}
    for program_id, cents in planned.spends.items():
        entry_id = accounts[program_id].spend("spend", cents, version_id=versions[program_id])
        _tell(session, result, program_id, -cents, entry_id)
    for award in planned.awards:
        _award(session, award, accounts[award.line.program.id], result, planned.at)


def _award(session: Session, award: AwardPlan, account: OpenAccount, result: PurchaseResult, local: datetime) -> None:
    line, program = award.line, award.line.program
    session.connection().execute(_INSERT_AWARD, _award_row(session, award, result.purchase_id))
    if line.amount:
        entry_id = account.add("earn", line.amount, award.terms, version_id=program.version_id, rule=line.rule)
        fill(session, program, account, result.member_id, result.coupons, award.fill)
        _tell(session, result, program.id, line.amount, entry_id)
    for gift in award.gifts:
        given = give(session, gift, program, account, member_id=result.member_id, purchase_id=result.purchase_id)
        result.coupons.append(given)
    uses.write(
        session, award.outcome.uses, program_id=program.id, member_id=result.member_id, purchase_id=result.purchase_id,
        day=local.date(),
    )  # fmt: skip
    result.awards.append(line)


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
        "parts": rules.parts_to_json(line.parts),
        "details": dict(line.details),
        "facts": rules.facts_to_json(award.facts),
    }


def _tell(session: Session, result: PurchaseResult, program_id: int, amount: int, entry_id: int) -> None:
    emit(
        session,
        progressed(
            member_id=result.member_id, program_id=program_id, amount=amount, purchase_id=result.purchase_id,
            entry_id=entry_id,
        ),
    )  # fmt: skip


def fill(
    session: Session,
    program: ProgramInForce,
    account: OpenAccount,
    member_id: int,
    coupons: list[CouponView],
    gift: Gift | None = None,
) -> int:
    """Empty the card as often as it is full, a coupon each; the surplus stays. Return how often."""
    if not program.full_at:
        return 0
    count = rules.fills(account.balance, program.full_at)
    for _fill in range(count):
        entry_id = account.spend("fill", program.full_at, version_id=program.version_id)
        reward_id = gift.reward_id if gift else planning.fill_reward(session, program)
        at = account.context["occurred_at"]
        coupons.append(
            rewards.issue(
                session, member_id=member_id, reward=session.get_one(Reward, reward_id), source_kind="fill",
                source_id=entry_id, at=at,
            )
        )  # fmt: skip
    return count


def give(
    session: Session, gift: Gift, program: ProgramInForce, account: OpenAccount, *, member_id: int,
    purchase_id: int | None,
) -> CouponView:  # fmt: skip
    """Issue what a rule or a threshold gives."""
    issue = RewardIssue(
        program_id=program.id, version_id=program.version_id, member_id=member_id,
        purchase_id=purchase_id, reward_id=gift.reward_id, threshold=gift.threshold, round=gift.round,
        at=clock.now(),
    )  # fmt: skip
    session.add(issue)
    session.flush()
    return rewards.issue(
        session, member_id=member_id, reward=session.get_one(Reward, gift.reward_id), source_kind="issue",
        source_id=issue.id, at=account.context["occurred_at"],
    )  # fmt: skip
