"""Who is who in a brand's network: brands, outlets and the rows around them."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import brand_of
from app.core.errors import NotFound
from app.core.i18n import gettext as _
from app.core.jobs import again
from app.network.models import Brand, Chain, Outlet, Reseller, Till


class BrandUnknown(NotFound):
    """No brand has this slug."""

    code = "brand_unknown"


class OutletUnknown(NotFound):
    """No outlet of this brand has this slug or id."""

    code = "outlet_unknown"


class TillUnknown(NotFound):
    """No till of this outlet has this slug."""

    code = "till_unknown"


def brands(session: Session) -> list[Brand]:
    """Return all brands of the installation by slug."""
    return list(session.scalars(select(Brand).order_by(Brand.slug)))


def zone(session: Session) -> ZoneInfo:
    """Return the zone of the session's brand: its days, months and hours are told by it."""
    return ZoneInfo(session.get_one(Brand, brand_of(session)).zone)


def brand_by_brand(session: Session, job: str, settle: Callable[..., int], *, most: int) -> None:
    """Settle what is due in every brand, at most so many rows in one unit.

    Jobs of several slices go through brands in this order and through a brand's members in the order of their ids, so
    that two of them never wait for each other.

    Args:
        job: its name; it is queued once more at once when there may be something left.
        settle: is called with the session in a brand, `now` and `most`; it returns how many rows were due.
    """
    left = most
    for brand_id in session.scalars(select(Brand.id).order_by(Brand.id)).all():
        session.info["brand_id"] = brand_id
        left -= settle(session, now=clock.now(), most=left)
        if left <= 0:
            again(session, job, now=clock.now())
            return


def brand_by_slug(session: Session, slug: str) -> Brand:
    """Return a brand.

    Raises:
        BrandUnknown: there is none.
    """
    brand = session.scalar(select(Brand).where(Brand.slug == slug))
    if brand is None:
        raise BrandUnknown(_("There is no such brand."))
    return brand


def brand_by_id(session: Session, brand_id: int) -> Brand:
    """Return the brand of a row or session.

    Raises:
        BrandUnknown: it is gone.
    """
    brand = session.get(Brand, brand_id)
    if brand is None:
        raise BrandUnknown(_("There is no such brand."))
    return brand


def outlets(session: Session) -> list[Outlet]:
    """Return the outlets of the session's brand by name."""
    return list(session.scalars(select(Outlet).order_by(Outlet.name)))


def outlet_by_slug(session: Session, slug: str) -> Outlet:
    """Return an outlet of the session's brand.

    Raises:
        OutletUnknown: there is none.
    """
    outlet = session.scalar(select(Outlet).where(Outlet.slug == slug))
    if outlet is None:
        raise OutletUnknown(_("There is no such outlet."))
    return outlet


def outlet_by_id(session: Session, outlet_id: int) -> Outlet:
    """Return the outlet that a row of the session's brand names.

    Raises:
        OutletUnknown: it is not of this brand.
    """
    outlet = session.scalar(select(Outlet).where(Outlet.id == outlet_id))
    if outlet is None:
        raise OutletUnknown(_("There is no such outlet."))
    return outlet


def till_by_slug(session: Session, outlet_slug: str, till_slug: str) -> Till:
    """Return a till of the session's brand by the names of the brand file.

    Raises:
        OutletUnknown: there is no such outlet.
        TillUnknown: the outlet has no such till.
    """
    outlet = outlet_by_slug(session, outlet_slug)
    till = session.scalar(select(Till).where(Till.outlet_id == outlet.id, Till.slug == till_slug))
    if till is None:
        raise TillUnknown(_("There is no such till."))
    return till


def resellers(session: Session) -> list[Reseller]:
    """Return the resellers of the session's brand by name."""
    return list(session.scalars(select(Reseller).order_by(Reseller.name)))


def chains(session: Session) -> list[Chain]:
    """Return the chains of the session's brand by name."""
    return list(session.scalars(select(Chain).order_by(Chain.name)))
