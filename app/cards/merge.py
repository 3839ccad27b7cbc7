"""One member becomes another: balances are transferred, coupons and codes move, history stays readable."""

from sqlalchemy.orm import Session

from app.cards import rules, service, uses
from app.cards.events import progressed
from app.cards.programs import in_force
from app.core import clock
from app.core.events import emit
from app.ledger.accounts import open_accounts
from app.members import service as members
from app.members.models import Member
from app.rewards import service as rewards


def absorb(session: Session, newcomer: Member, *, into: Member) -> Member:
    """Merge a newcomer into the member whose contact it confirmed; both codes keep working. Return who stays.

    The stamps move by `transfer` entries, out of one account and into the other, and may fill the card.
    Source: design.md section 3, "Members and contacts".
    """
    into = members.absorb(session, newcomer, into)
    if into.id == newcomer.id:  # the other one was merged into this one before
        return into
    now = clock.now()
    context = {"occurred_at": now}
    programs = in_force(session, now)
    ids = [program.id for program in programs]
    first, second = sorted((newcomer.id, into.id))  # locks are taken in id order, whoever merges into whom
    opened = {
        member_id: open_accounts(session, member_id=member_id, program_ids=ids, context=context)
        for member_id in (first, second)
    }
    rewards.move(session, member_id=newcomer.id, into_id=into.id)
    uses.move(session, member_id=newcomer.id, into_id=into.id)
    for program in programs:
        source, target = opened[newcomer.id][program.id], opened[into.id][program.id]
        amount = source.balance
        if amount == 0 and source.pending == 0:
            continue
        why = {"version_id": program.version_id, "reason": "merged", "source_kind": "member"}
        entry_id = source.hand_over(
            target, why={**why, "source_id": into.id}, into_why={**why, "source_id": newcomer.id}
        )
        full = rules.fills(target.balance, program.full_at) if program.full_at else 0
        service.fill(session, program, target, into.id, [], full)
        emit(
            session,
            progressed(member_id=into.id, program_id=program.id, amount=amount, purchase_id=None, entry_id=entry_id),
        )
    return into
