"""What the brand is to judge: written with what it is about, listed for the console."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import JSON, bindparam, select, text
from sqlalchemy.orm import Session

from app.cards import limits
from app.cards.limits import Suspicion
from app.cards.misuse_models import CardboardCard, Flag, ManualStamp
from app.cards.models import Program
from app.core import clock
from app.core.crypto import new_id
from app.core.db import brand_of
from app.core.errors import NotFound
from app.core.i18n import gettext as _
from app.core.tables import UtcDateTime
from app.ledger.models import Purchase
from app.members.models import Member
from app.network.models import Outlet, Staff

R = TypeVar("R", Member, Purchase, ManualStamp)
KINDS = (*limits.CUTS, limits.OWN_CARD_OFTEN, limits.FAR_APART)

_INSERT = text(
    "INSERT INTO flag (brand_id, public_id, kind, member_id, purchase_id, manual_stamp_id, outlet_id, staff, details, "
    "at, state) VALUES (:brand_id, :public_id, :kind, :member_id, :purchase_id, :manual_stamp_id, :outlet_id, :staff, "
    ":details, :at, 'open')"
).bindparams(bindparam("details", type_=JSON), bindparam("at", type_=UtcDateTime))


class FlagUnknown(NotFound):
    """The brand has no flag of this id."""

    code = "flag_unknown"


@dataclass(frozen=True)
class FlagView:
    """A flag with what it is about."""

    flag: Flag
    member: Member
    outlet: str
    other_outlet: str  # of two that are far apart
    staff: str  # name of who stood at the till; empty where nobody was named
    judge: str
    purchase: Purchase | None
    stamp: ManualStamp | None


def write(
    session: Session,
    suspicions: Iterable[Suspicion],
    *,
    member_id: int,
    outlet_id: int,
    staff: str | None,
    at: datetime,
    purchase_id: int | None = None,
    manual_stamp_id: int | None = None,
) -> None:
    """Write what was found, in the transaction of what it is about.

    Args:
        staff: public id of who stood at the till.
        at: the moment of the purchase or the stamp.
    """
    shared = {
        "brand_id": brand_of(session), "member_id": member_id, "outlet_id": outlet_id, "staff": staff, "at": at,
        "purchase_id": purchase_id, "manual_stamp_id": manual_stamp_id,
    }  # fmt: skip
    rows = [
        {**shared, "public_id": new_id(clock.now()), "kind": one.kind, "details": dict(one.details)}
        for one in suspicions
    ]
    if rows:
        session.connection().execute(_INSERT, rows)


def find(session: Session, public_id: str) -> Flag:
    """Return a flag of the session's brand.

    Raises:
        FlagUnknown: there is none.
    """
    flag = session.scalar(select(Flag).where(Flag.public_id == public_id))
    if flag is None:
        raise FlagUnknown(_("There is nothing of this kind to judge."))
    return flag


def waiting(session: Session, *, most: int) -> list[FlagView]:
    """Return what is to be judged, the newest first."""
    wanted = select(Flag).where(Flag.state == "open").order_by(Flag.at.desc(), Flag.id.desc()).limit(most)
    return _views(session, session.scalars(wanted).all())


def judged(session: Session, *, most: int) -> list[FlagView]:
    """Return what was judged, the latest first."""
    wanted = (
        select(Flag)
        .where(Flag.state.in_(("approved", "reversed")))
        .order_by(Flag.judged_at.desc(), Flag.id.desc())
        .limit(most)
    )
    return _views(session, session.scalars(wanted).all())


def _views(session: Session, flags: Sequence[Flag]) -> list[FlagView]:
    members = _by_id(session, Member, [flag.member_id for flag in flags])
    purchases = _by_id(session, Purchase, [flag.purchase_id for flag in flags])
    stamps = _by_id(session, ManualStamp, [flag.manual_stamp_id for flag in flags])
    outlets = {row.id: row.name for row in session.scalars(select(Outlet))}
    names = staff_names(session, [name for flag in flags for name in (flag.staff, flag.judged_by)])
    return [
        FlagView(
            flag, members[flag.member_id], outlets[flag.outlet_id],
            outlets.get(flag.details.get("other_outlet_id", 0), ""), names.get(flag.staff or "", ""),
            names.get(flag.judged_by or "", ""), purchases.get(flag.purchase_id), stamps.get(flag.manual_stamp_id),
        )
        for flag in flags
    ]  # fmt: skip


def _by_id(session: Session, model: type[R], ids: Iterable[int | None]) -> dict[int | None, R]:
    known = {row_id for row_id in ids if row_id is not None}
    return {row.id: row for row in session.scalars(select(model).where(model.id.in_(known)))} if known else {}


def staff_names(session: Session, public_ids: Iterable[str | None]) -> dict[str, str]:
    """Return the names of people who work or worked here, by public id."""
    known = {public_id for public_id in public_ids if public_id}
    rows = session.execute(select(Staff.public_id, Staff.name).where(Staff.public_id.in_(known)))
    return {row.public_id: row.name for row in rows}


@dataclass(frozen=True)
class CardboardView:
    """A cardboard card that was moved over, with its member and its program."""

    card: CardboardCard
    member: Member
    program: Program
    outlet: str
    cashier: str
    approver: str


def cardboard_cards(session: Session, *, most: int) -> list[CardboardView]:
    """Return the cardboard cards that were moved over, the newest first."""
    rows = session.execute(
        select(CardboardCard, Member, Program, Outlet.name)
        .join(Member, Member.id == CardboardCard.member_id)
        .join(Program, Program.id == CardboardCard.program_id)
        .join(Outlet, Outlet.id == CardboardCard.outlet_id)
        .order_by(CardboardCard.id.desc())
        .limit(most)
    ).all()
    names = staff_names(session, [name for card, *_rest in rows for name in (card.cashier, card.approver)])
    return [
        CardboardView(card, member, program, outlet, names.get(card.cashier, ""), names.get(card.approver, ""))
        for card, member, program, outlet in rows
    ]
