"""What a brand and an outlet owe each other for a sale, frozen when it happens, beside the redemptions of coupons.

Source: earning.md, "Settlement".
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import brand_of
from app.core.sql import Sql
from app.ledger.models import FactKind, SettlementFact
from app.network.models import Till

_FREEZE = Sql(
    "INSERT INTO settlement_fact (brand_id, kind, cents, outlet_id, till_id, purchase_id, refund_id, source_kind, "
    "source_id, cost_centre_id, campaign, vat_code, occurred_at, recorded_at, reverses_id) VALUES (:brand_id, :kind, "
    ":cents, :outlet_id, :till_id, :purchase_id, :refund_id, :source_kind, :source_id, :cost_centre_id, :campaign, "
    ":vat_code, :occurred_at, :recorded_at, :reverses_id) RETURNING id"
)


@dataclass(frozen=True)
class Fact:
    """Cents that the brand pays an outlet, or is paid where they are below zero; `source` is the row that says why."""

    kind: FactKind
    cents: int
    source_kind: str
    source_id: int
    occurred_at: datetime
    purchase_id: int | None = None
    refund_id: int | None = None
    cost_centre_id: int | None = None
    campaign: str | None = None
    vat_code: str = ""
    reverses_id: int | None = None


def freeze(session: Session, fact: Fact, *, till: Till) -> int:
    """Write a fact of a till and return its id. Nothing changes it: what was wrong is reversed by another."""
    values = {
        **vars(fact), "brand_id": brand_of(session), "outlet_id": till.outlet_id, "till_id": till.id,
        "recorded_at": clock.now(),
    }  # fmt: skip
    ((row_id,),) = _FREEZE.run(session, values)
    return int(row_id)


def reverse(
    session: Session, *, source_kind: str, source_id: int, cents: int, till: Till, at: datetime,
    refund_id: int | None = None,
) -> None:  # fmt: skip
    """Take a part of a source's fact back, at the cost centre that bore it; nothing where the source has none.

    Args:
        cents: how much of it, 0 or more; never more than is left of it.
        at: when it came back.

    Raises:
        ValueError: more would come back than the fact has left; a mistake of the caller.
    """
    wanted = (
        SettlementFact.source_kind == source_kind, SettlementFact.source_id == source_id,
        SettlementFact.reverses_id.is_(None),
    )  # fmt: skip
    fact = session.scalar(select(SettlementFact).where(*wanted))
    if fact is None or cents == 0:
        return
    gone = session.scalar(select(func.sum(SettlementFact.cents)).where(SettlementFact.reverses_id == fact.id)) or 0
    if cents > abs(fact.cents) - abs(int(gone)):
        raise ValueError("more would come back than was settled")
    freeze(
        session,
        Fact(
            fact.kind, cents if fact.cents < 0 else -cents, source_kind, source_id, at, fact.purchase_id, refund_id,
            fact.cost_centre_id, fact.campaign, fact.vat_code, fact.id,
        ),
        till=till,
    )  # fmt: skip
