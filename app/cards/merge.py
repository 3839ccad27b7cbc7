"""One member becomes another: balances are transferred, coupons and codes move, history stays readable."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import granting, planning, serial, service, tiers, triggers, uses
from app.cards.events import progressed
from app.cards.models import ProgramVersion
from app.cards.programs import ProgramInForce, in_force, of_version
from app.core import clock
from app.core.events import emit
from app.ledger.accounts import OpenAccount, open_accounts
from app.ledger.models import Account, LedgerEntry
from app.members import service as members
from app.members.models import Member
from app.rewards import service as rewards


def absorb(session: Session, newcomer: Member, *, into: Member) -> Member:
    """Merge a newcomer into the member whose contact it confirmed; both codes keep working. Return who stays.

    What is collected moves by `transfer` entries, out of one account and into the other, and may fill the card
    or reach a threshold; also in a program of which no version holds now.
    Source: design.md section 3, "Members and contacts".
    """
    into = members.absorb(session, newcomer, into)
    if into.id == newcomer.id:  # the other one was merged into this one before
        return into
    context = {"occurred_at": clock.now()}
    # Nobody opens another one for the newcomer any more: a purchase goes to the member that stays.
    ids = list(session.scalars(select(Account.program_id).where(Account.member_id == newcomer.id)))
    first, second = sorted((newcomer.id, into.id))  # locks are taken in id order, whoever merges into whom
    opened = {
        member_id: open_accounts(session, member_id=member_id, program_ids=ids, context=context)
        for member_id in (first, second)
    }
    rewards.move(session, member_id=newcomer.id, into_id=into.id)
    uses.move(session, member_id=newcomer.id, into_id=into.id)
    serial.move(session, member_id=newcomer.id, into_id=into.id)
    tiers.move(session, member_id=newcomer.id, into_id=into.id)
    triggers.move(session, member_id=newcomer.id, into_id=into.id)
    held = [account for account in opened[newcomer.id].values() if account.balance or account.pending]
    for program in _programs(session, held):
        source, target = opened[newcomer.id][program.id], opened[into.id][program.id]
        amount, before = source.balance, target.balance
        why = {"version_id": program.version_id, "reason": "merged", "source_kind": "member"}
        entry_id = source.hand_over(
            target, why={**why, "source_id": into.id}, into_why={**why, "source_id": newcomer.id}
        )
        full, gifts = planning.crossing(session, program, member_id=into.id, before=before, after=target.balance)
        service.fill(session, program, target, into.id, [], full)
        for gift in gifts:
            granting.give(session, gift, program, target, member_id=into.id, purchase_id=None)
        emit(
            session,
            progressed(member_id=into.id, program_id=program.id, amount=amount, purchase_id=None, entry_id=entry_id),
        )
    return into


def _programs(session: Session, accounts: Sequence[OpenAccount]) -> list[ProgramInForce]:
    """Return the programs of accounts; where no version holds now, as the account's newest entry knew it."""
    now = {program.id: program for program in in_force(session, clock.now())}
    return [now.get(account.program_id) or _last_known(session, account) for account in accounts]


def _last_known(session: Session, account: OpenAccount) -> ProgramInForce:
    newest = (
        select(ProgramVersion.id)
        .join(LedgerEntry, LedgerEntry.version_id == ProgramVersion.id)
        .where(LedgerEntry.account_id == account.id)
        .order_by(LedgerEntry.id.desc())
    )
    return of_version(session, session.scalars(newest.limit(1)).one())
