"""The one write path of earning: a purchase, its awards, filled cards and their coupons, in one transaction."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.cards import rules
from app.cards.events import progressed
from app.cards.programs import ProgramInForce, in_force
from app.core.db import brand_of
from app.core.events import emit
from app.ledger import service as ledger
from app.ledger.service import Basket, OpenAccount
from app.members.models import Member
from app.network.models import Till
from app.rewards import service as rewards
from app.rewards.models import Reward
from app.rewards.service import CouponView

_INSERT_AWARD = text(
    "INSERT INTO award (brand_id, purchase_id, program_id, version_id, amount, rule, reason) "
    "VALUES (:brand_id, :purchase_id, :program_id, :version_id, :amount, :rule, :reason)"
)


@dataclass(frozen=True)
class AwardLine:
    """What a purchase gave in one program: `balance` is what the open card holds afterwards."""

    program: ProgramInForce
    amount: int
    balance: int
    filled: int
    rule: str
    reason: str


@dataclass(frozen=True)
class PurchaseResult:
    """The answer to a till."""

    purchase_id: int
    public_id: str
    member_id: int
    due_cents: int
    awards: list[AwardLine] = field(default_factory=list)
    coupons: list[CouponView] = field(default_factory=list)


def record_purchase(
    session: Session, basket: Basket, *, member: Member, till: Till, scan_id: int | None = None
) -> PurchaseResult:
    """Book a purchase: awards by the version of its moment, fills cards, issues coupons, queues the jobs.

    Args:
        basket: amounts in cents, gross; `occurred_at` picks the program version.
        member: a merged one is followed to the member it became.

    Raises:
        ReceiptKnown: this receipt was recorded before.
        AmountAbsurd, TimeOutOfRange, ReceiptInvalid: the basket cannot be true.

    Source: design.md section 4.
    """
    ledger.check(basket)
    member_id = ledger.hold_member(session, member.id)
    programs = in_force(session, basket.occurred_at)
    context = {"occurred_at": basket.occurred_at, "till_id": till.id, "outlet_id": till.outlet_id}
    accounts = ledger.open_accounts(
        session, member_id=member_id, program_ids=[program.id for program in programs], context=context
    )
    purchase_id, public_id = ledger.write_purchase(session, basket, member_id=member_id, till=till, scan_id=scan_id)
    if scan_id is not None:
        rewards.join_basket(session, scan_id=scan_id, purchase_id=purchase_id)
    result = PurchaseResult(purchase_id, public_id, member_id, basket.total_cents)
    for program in programs:
        account = accounts[program.id]
        account.context["purchase_id"] = purchase_id
        _award(session, program, account, result)
    return result


def _award(session: Session, program: ProgramInForce, account: OpenAccount, result: PurchaseResult) -> None:
    outcome = rules.evaluate_due(program.rule, due_cents=result.due_cents)
    values = {
        "brand_id": brand_of(session),
        "purchase_id": result.purchase_id,
        "program_id": program.id,
        "version_id": program.version_id,
        "amount": outcome.amount,
        "rule": outcome.rule,
        "reason": outcome.reason,
    }
    session.connection().execute(_INSERT_AWARD, values)
    filled = 0
    if outcome.amount:
        entry_id = account.post("earn", outcome.amount, version_id=program.version_id, reason=outcome.rule)
        filled = fill(session, program, account, result.member_id, result.coupons)
        emit(
            session,
            progressed(
                member_id=result.member_id,
                program_id=program.id,
                amount=outcome.amount,
                purchase_id=result.purchase_id,
                entry_id=entry_id,
            ),
        )
    result.awards.append(AwardLine(program, outcome.amount, account.balance, filled, outcome.rule, outcome.reason))


def fill(
    session: Session, program: ProgramInForce, account: OpenAccount, member_id: int, coupons: list[CouponView]
) -> int:
    """Empty the card as often as it is full, a coupon each; the surplus stays. Return how often."""
    count = rules.fills(account.balance, program.size)
    for _fill in range(count):
        entry_id = account.post("fill", -program.size, version_id=program.version_id)
        reward = session.get_one(Reward, program.reward_id)
        at = account.context["occurred_at"]
        coupons.append(
            rewards.issue(session, member_id=member_id, reward=reward, source_kind="fill", source_id=entry_id, at=at)
        )
    return count


def quote(session: Session, *, member_id: int, total_cents: int, at: datetime) -> list[AwardLine]:
    """Return what a purchase would give now, by the same rules; writes and binds nothing."""
    balances = ledger.balances(session, member_id)
    lines = []
    for program in in_force(session, at):
        outcome = rules.evaluate_due(program.rule, due_cents=total_cents)
        after = balances.get(program.id, 0) + outcome.amount
        filled = rules.fills(after, program.size)
        lines.append(
            AwardLine(program, outcome.amount, after - filled * program.size, filled, outcome.rule, outcome.reason)
        )
    return lines
