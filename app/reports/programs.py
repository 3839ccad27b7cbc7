"""What each program gave in a period, and what its members hold now."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.cards.models import Award
from app.cards.programs import ProgramInForce, in_force
from app.core import clock
from app.core.db import brand_of
from app.ledger.models import Account, Purchase, Refund

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class ProgramFigures:
    """One program's figures in its unit, cents for kinds of money; `held` is what can be used, debts not counted."""

    program: ProgramInForce
    given: int
    before: int
    held: int
    pending: int


def figures(session: Session, now: Span, before: Span) -> list[ProgramFigures]:
    """Return each program's figures, in the brand's order; those whose members collect nothing are left out."""
    given, given_before = _given(session, now), _given(session, before)
    usable = func.sum(case((Account.balance > 0, Account.balance), else_=0))
    accounts = select(Account.program_id, usable, func.sum(Account.pending)).where(
        Account.brand_id == brand_of(session)
    )
    held = {key: (int(can), int(waits)) for key, can, waits in session.execute(accounts.group_by(Account.program_id))}
    return [
        ProgramFigures(
            program, given.get(program.id, 0), given_before.get(program.id, 0), *held.get(program.id, (0, 0))
        )
        for program in in_force(session, clock.now())
        if program.kind != "standing"
    ]


def _given(session: Session, span: Span) -> dict[int, int]:
    """Return what purchases earned that were not taken back whole, by program."""
    rows = session.execute(
        select(Award.program_id, func.sum(Award.amount))
        .join(Purchase, Purchase.id == Award.purchase_id)
        .outerjoin(Refund, (Refund.purchase_id == Purchase.id) & Refund.whole)
        .where(
            Purchase.brand_id == brand_of(session), Purchase.occurred_at >= span[0], Purchase.occurred_at <= span[1],
            Refund.id.is_(None),
        )
        .group_by(Award.program_id)
    )  # fmt: skip
    return {program_id: int(amount or 0) for program_id, amount in rows}
