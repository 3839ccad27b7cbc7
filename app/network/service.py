"""Who is who in a brand's network: brands, outlets and the rows around them."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.i18n import gettext as _
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
