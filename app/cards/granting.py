"""Booking a planned award beside a sale: what staff give by hand, and what the brand approves later."""

from typing import Any

from sqlalchemy.orm import Session

from app.cards import service
from app.cards.events import progressed
from app.cards.planning import AwardPlan
from app.core.events import emit
from app.ledger.accounts import OpenAccount
from app.rewards.service import Given


def grant(
    session: Session, award: AwardPlan, account: OpenAccount, *, kind: str, member_id: int,
    purchase_id: int | None = None, **why: Any,
) -> list[Given]:  # fmt: skip
    """Book what a plan gives: the entry, full cards, gifts, and the news of it; return the rewards.

    Args:
        kind: of the entry.
        why: what the entry says beside that: reason, approver, source_kind, source_id and so on.
    """
    line, program = award.line, award.line.program
    filled: list[Given] = []
    if line.amount:
        entry_id = account.add(kind, line.amount, award.terms, version_id=program.version_id, rule=line.rule, **why)
        service.fill(session, program, account, member_id, filled, line.filled, award.fill)
        emit(
            session,
            progressed(
                member_id=member_id, program_id=program.id, amount=line.amount, purchase_id=purchase_id,
                entry_id=entry_id,
            ),
        )  # fmt: skip
    gifts = [
        service.give(session, gift, program, account, member_id=member_id, purchase_id=purchase_id)
        for gift in award.gifts
    ]
    return [*filled, *gifts]
