"""The brand judges a flag, once: what a limit had cut is booked after all, or what was given is taken back."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.cards import granting, limits, planning, rules, tiers, undoing, uses
from app.cards.events import progressed
from app.cards.misuse_models import BY_HAND, JUDGED, Flag, ManualStamp
from app.cards.models import Award
from app.cards.planning import AwardPlan
from app.cards.programs import in_force, of_version
from app.cards.returns import returned
from app.cards.rules import Line, Outcome
from app.cards.situation import situation
from app.core import clock
from app.core.events import emit
from app.ledger import service as ledger
from app.ledger.accounts import OpenAccount, open_accounts
from app.ledger.models import Account, LedgerEntry, Purchase, PurchaseLine, Refund
from app.members import lookup
from app.network.models import Staff
from app.rewards import service as rewards


def approve(session: Session, flag: Flag, *, by: Staff) -> bool:
    """Say that all was well, and book what a limit had cut, less what was refunded since.

    Returns:
        False where it had been judged before: then nothing happens.
    """
    if not _judge(session, flag, "approved", by):
        return False
    if flag.kind in limits.CUTS:
        if flag.purchase_id is not None:
            _book_purchase(session, flag, session.get_one(Purchase, flag.purchase_id), by)
        else:
            _book_stamp(session, flag, session.get_one(ManualStamp, flag.manual_stamp_id), by)
    return True


def reverse(session: Session, flag: Flag, *, by: Staff) -> bool:
    """Take back what is left of what was given; the purchase stays, and a coupon that was used leaves a debt.

    Returns:
        False where it had been judged before: then nothing happens.
    """
    if not _judge(session, flag, "reversed", by):
        return False
    if flag.purchase_id is not None:
        _unbook_purchase(session, flag, session.get_one(Purchase, flag.purchase_id), by)
    else:
        _unbook_stamp(session, flag, session.get_one(ManualStamp, flag.manual_stamp_id), by)
    return True


def _judge(session: Session, flag: Flag, state: str, by: Staff) -> bool:
    """Decide by one conditional UPDATE: of two at once, one judges."""
    judged = {"state": state, "judged_by": by.public_id, "judged_at": clock.now()}
    decided = update(Flag).where(Flag.id == flag.id, Flag.state == "open").values(judged).returning(Flag.id)
    return session.scalar(decided) is not None


def _accounts(
    session: Session, flag: Flag, by: Staff, *, member_id: int, program_ids: Sequence[int], **place: Any
) -> dict[int, OpenAccount]:
    context = {"occurred_at": clock.now(), "outlet_id": flag.outlet_id, "approver": by.public_id, **place}
    return open_accounts(session, member_id=member_id, program_ids=list(program_ids), context=context)


def _why(flag: Flag) -> dict[str, Any]:
    return {"reason": flag.kind, "source_kind": JUDGED, "source_id": flag.id}


def _awards(session: Session, purchase: Purchase) -> list[Award]:
    return sorted(session.scalars(select(Award).where(Award.purchase_id == purchase.id)), key=lambda award: award.id)


def _book_purchase(session: Session, flag: Flag, purchase: Purchase, by: Staff) -> None:
    """Book what the purchase would have earned, by the rules and the facts of its moment."""
    member_id = ledger.hold_member(session, purchase.member_id)
    awards = [award for award in _awards(session, purchase) if award.reason == flag.kind]
    accounts = _accounts(
        session, flag, by, member_id=member_id, program_ids=[award.program_id for award in awards],
        purchase_id=purchase.id, till_id=purchase.till_id,
    )  # fmt: skip
    left = _left(session, purchase)
    if left is None:
        return
    set_to = []
    for award in awards:
        program, account = of_version(session, award.version_id), accounts[award.program_id]
        facts = rules.facts_from_json(award.facts, due_cents=left[0], lines=left[1])
        plan = planning.plan_award(session, program, facts, member_id=member_id, before=account.balance)
        granting.grant(
            session, plan, account, kind="adjust", member_id=member_id, purchase_id=purchase.id, **_why(flag)
        )
        uses.write(
            session, plan.outcome.uses, program_id=program.id, member_id=member_id, purchase_id=purchase.id,
            day=facts.at.date(),
        )  # fmt: skip
        granting.ask_messages(session, plan, member_id=member_id)
        set_to += [plan.outcome.tier] if plan.outcome.tier else []
    if set_to:
        tiers.after_sale(
            session, in_force(session, purchase.occurred_at), member_id=member_id, purchase_id=purchase.id,
            at=purchase.occurred_at, set_to=set_to,
        )  # fmt: skip


def _left(session: Session, purchase: Purchase) -> tuple[int, tuple[Line, ...]] | None:
    """Hold a purchase against refunds, and return what is due and bought of it still; None where all came back."""
    session.execute(select(Purchase.id).where(Purchase.id == purchase.id).with_for_update())
    if session.scalar(select(Refund.id).where(Refund.purchase_id == purchase.id, Refund.whole)) is not None:
        return None
    if session.scalar(select(PurchaseLine.id).where(PurchaseLine.purchase_id == purchase.id).limit(1)) is None:
        return purchase.due_cents, ()
    back = returned(session, purchase, {})
    return back.due_left_cents, back.lines_left


def _unbook_purchase(session: Session, flag: Flag, purchase: Purchase, by: Staff) -> None:
    member_id = ledger.hold_member(session, purchase.member_id)
    awards = _awards(session, purchase)
    accounts = _accounts(
        session, flag, by, member_id=member_id, program_ids=[award.program_id for award in awards],
        purchase_id=purchase.id, till_id=purchase.till_id,
    )  # fmt: skip
    session.execute(select(Purchase.id).where(Purchase.id == purchase.id).with_for_update())
    rewards.hold_given(session, member_id=member_id)
    for award in awards:
        undoing.undo_gifts(session, purchase_id=purchase.id, program_id=award.program_id, keep=())
        found = undoing.booked(session, award)
        _take(
            session, flag, accounts[award.program_id], found.left, member_id=member_id,
            version_id=award.version_id, entry_id=found.entry_id, purchase_id=purchase.id,
        )  # fmt: skip
    tiers.after_refund(session, member_id=member_id, purchase_id=purchase.id, refund_id=None)


def _take(
    session: Session, flag: Flag, account: OpenAccount, amount: int, *, member_id: int, version_id: int,
    entry_id: int | None, purchase_id: int | None = None,
) -> None:  # fmt: skip
    if amount <= 0:
        return
    taken_by, _undone = undoing.take_back(
        session, account, amount, kind="adjust", member_id=member_id, version_id=version_id, reverses_id=entry_id,
        **_why(flag),
    )  # fmt: skip
    emit(
        session,
        progressed(
            member_id=member_id, program_id=account.program_id, amount=-amount, purchase_id=purchase_id,
            entry_id=taken_by,
        ),
    )  # fmt: skip


def _stamped(session: Session, flag: Flag, stamp: ManualStamp, by: Staff) -> tuple[int, OpenAccount]:
    member_id = ledger.hold_member(session, stamp.member_id)
    accounts = _accounts(session, flag, by, member_id=member_id, program_ids=[stamp.program_id], till_id=stamp.till_id)
    return member_id, accounts[stamp.program_id]


def _book_stamp(session: Session, flag: Flag, stamp: ManualStamp, by: Staff) -> None:
    member_id, account = _stamped(session, flag, stamp, by)
    plan = _plan(session, stamp, member_id, account)
    granting.grant(session, plan, account, kind="adjust", member_id=member_id, **_why(flag))


def _plan(session: Session, stamp: ManualStamp, member_id: int, account: OpenAccount) -> AwardPlan:
    program = of_version(session, stamp.version_id)
    where = situation(session, member_id=member_id, outlet_id=stamp.outlet_id, at=stamp.occurred_at, lock=True)
    facts = where.facts(program)
    outcome = Outcome(amount=stamp.wanted)
    return planning.plan_outcome(session, program, facts, outcome, member_id=member_id, before=account.balance)


def _unbook_stamp(session: Session, flag: Flag, stamp: ManualStamp, by: Staff) -> None:
    member_id, account = _stamped(session, flag, stamp, by)
    rewards.hold_given(session, member_id=member_id)
    flags = select(Flag.id).where(Flag.manual_stamp_id == stamp.id)
    by_hand = (LedgerEntry.source_kind == BY_HAND) & (LedgerEntry.source_id == stamp.id)
    judged = (LedgerEntry.source_kind == JUDGED) & LedgerEntry.source_id.in_(flags)
    accounts = select(Account.id).where(
        Account.member_id.in_(lookup.family(session, member_id)), Account.program_id == stamp.program_id
    )
    rows = session.execute(
        select(LedgerEntry.id, LedgerEntry.amount, LedgerEntry.pending).where(
            LedgerEntry.account_id.in_(accounts), LedgerEntry.kind.in_(("earn", "adjust")), by_hand | judged
        )
    ).all()
    first = min((row.id for row in rows), default=None)
    left = sum(row.amount + row.pending for row in rows) - undoing.expired_of(session, [row.id for row in rows])
    _take(session, flag, account, left, member_id=member_id, version_id=stamp.version_id, entry_id=first)
