"""The network as the brand's staff see it: outlets with their tills, and people, in lists that can be searched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql import Select

from app.core import clock
from app.ledger.models import Purchase
from app.network.models import Chain, Outlet, Reseller, Staff, Till

PAGE = 50
LONGEST = 100  # of what is searched for

R = TypeVar("R")


@dataclass(frozen=True)
class TillRow:
    """A till, and the day of the newest sale that it told of."""

    till: Till
    last_sale: date | None


@dataclass(frozen=True)
class OutletRow:
    """An outlet with whom it belongs to, and its tills by name."""

    outlet: Outlet
    reseller: Reseller
    chain: Chain | None
    tills: list[TillRow]


@dataclass(frozen=True)
class PersonRow:
    """A person; the brand's own have no reseller."""

    person: Staff
    reseller: Reseller | None


@dataclass(frozen=True)
class Page(Generic[R]):
    """A page of a list; `number` counts from 1."""

    rows: list[R]
    total: int
    number: int
    pages: int


def outlets(session: Session, *, q: str = "", page: int = 1) -> Page[OutletRow]:
    """Return outlets by reseller, chain and name; a page beyond the last one is the last one.

    Args:
        q: a part of the name of outlet, town, till, reseller or chain, or a till's whole public id.
    """
    query = (
        select(Outlet, Reseller, Chain)
        .join(Reseller, Reseller.id == Outlet.reseller_id)
        .outerjoin(Chain, Chain.id == Outlet.chain_id)
        .order_by(Reseller.name, Reseller.id, func.coalesce(Chain.name, ""), Outlet.name, Outlet.id)
    )
    text = _words(q)
    if text:
        fits = _contain(text, Outlet.name, Outlet.slug, Outlet.city, Reseller.name, Chain.name)
        tills = select(Till.outlet_id).where(or_(Till.public_id == text.upper(), *_contain(text, Till.name, Till.slug)))
        query = query.where(or_(*fits, Outlet.id.in_(tills)))
    rows, *counted = _page(session, query, page)
    tills_of = _tills(session, [outlet.id for outlet, _reseller, _chain in rows])
    found = [OutletRow(outlet, reseller, chain, tills_of.get(outlet.id, [])) for outlet, reseller, chain in rows]
    return Page(found, *counted)


def _tills(session: Session, outlet_ids: Sequence[int]) -> dict[int, list[TillRow]]:
    """Return outlet → its tills. The newest day of each is one look into the index that keeps receipts apart."""
    newest = select(func.max(Purchase.local_date)).where(Purchase.till_id == Till.id).scalar_subquery()
    found: dict[int, list[TillRow]] = {}
    wanted = select(Till, newest).where(Till.outlet_id.in_(outlet_ids)).order_by(Till.name, Till.slug)
    for till, day in session.execute(wanted):
        found.setdefault(till.outlet_id, []).append(TillRow(till, day))
    return found


def people(session: Session, *, q: str = "", page: int = 1, by_email: bool = False) -> Page[PersonRow]:
    """Return people: who works here before who has left, the brand's own before resellers', by name.

    Args:
        q: a part of the name of the person or the reseller, or a person's whole public id.
        by_email: a part of the email finds a person too.
    """
    gone = case((Staff.ended_at <= clock.now(), 1), else_=0)
    query = (
        select(Staff, Reseller)
        .outerjoin(Reseller, Reseller.id == Staff.reseller_id)
        .order_by(gone, func.coalesce(Reseller.name, ""), Staff.name, Staff.id)
    )
    text = _words(q)
    if text:
        fits = [Staff.public_id == text.upper(), *_contain(text, Staff.name, Reseller.name)]
        fits += _contain(text, Staff.email) if by_email else []
        query = query.where(or_(*fits))
    rows, *counted = _page(session, query, page)
    return Page([PersonRow(person, reseller) for person, reseller in rows], *counted)


def _words(q: str) -> str:
    return " ".join(q.replace("\0", " ").split())[:LONGEST]


def _contain(text: str, *columns: InstrumentedAttribute[str]) -> list[ColumnElement[bool]]:
    """Return SQL for columns with a text in them; SQLite's lower() knows ASCII only, so Å is tried as names have it."""
    spellings = sorted({text, text.lower(), text.title(), text.capitalize()})
    fits = [column.contains(spelling, autoescape=True) for column in columns for spelling in spellings]
    return fits + [func.lower(column).contains(text.lower(), autoescape=True) for column in columns]


def _page(session: Session, query: Select[*tuple[Any, ...]], page: int) -> tuple[Sequence[Any], int, int, int]:
    """Return the rows of a page, how many there are at all, its number and how many pages there are."""
    counted = query.order_by(None).with_only_columns(func.count(), maintain_column_froms=True)
    total = session.scalar(counted) or 0
    pages = max(1, -(-total // PAGE))
    number = min(max(page, 1), pages)
    return session.execute(query.limit(PAGE).offset((number - 1) * PAGE)).all(), total, number, pages
