"""Of each brand: a manager who approves with a PIN, and a flag to judge."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards.misuse_models import Flag
from app.ledger.models import Purchase
from app.network import pins
from app.network.models import Outlet, Staff, Till

PIN = "2468"


def a_manager(session: Session, till: Till) -> str:
    """Give the manager of a till's reseller a PIN."""
    here = select(Outlet.reseller_id).where(Outlet.id == till.outlet_id).scalar_subquery()
    wanted = select(Staff).where(Staff.role == "reseller_manager", Staff.reseller_id == here)
    manager = session.scalars(wanted).one()
    pins.set_pin(session, manager, PIN)
    return manager.public_id


def a_flag(session: Session, purchase: str) -> str:
    """Put a flag on a purchase."""
    row = session.scalars(select(Purchase).where(Purchase.public_id == purchase)).one()
    flag = Flag(
        kind="limit_day", member_id=row.member_id, purchase_id=row.id, outlet_id=row.outlet_id, at=row.occurred_at,
        details={"would": {"coffee": 1}, "times": 6},
    )  # fmt: skip
    session.add(flag)
    session.flush()
    return flag.public_id
