"""The outlets near which a phone offers a member's card: the ten that mean most to this member."""

import math
from collections.abc import Iterable, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.i18n import gettext as _
from app.ledger.models import Purchase
from app.members.models import Member
from app.network.models import Outlet
from app.wallet.apple import Place

MOST = 10  # Apple ignores more


def places(session: Session, member: Member, family: Sequence[int]) -> tuple[Place, ...]:
    """Return at most ten: where the member bought most, where it was signed up, then what lies nearest to these.

    Args:
        family: the member and all that were merged into it.
    """
    bought = (
        select(Purchase.outlet_id, func.count(Purchase.id))
        .where(Purchase.member_id.in_(family))
        .group_by(Purchase.outlet_id)
    )
    visits = dict(session.execute(bought).all())
    known = [outlet_id for outlet_id, _n in sorted(visits.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST]]
    if member.outlet_id is not None and member.outlet_id not in known:
        known.append(member.outlet_id)
    on_map = select(Outlet).where(Outlet.kind != "web", Outlet.latitude.is_not(None), Outlet.longitude.is_not(None))
    mine = {outlet.id: outlet for outlet in session.scalars(on_map.where(Outlet.id.in_(known)))} if known else {}
    found = [mine[outlet_id] for outlet_id in known if outlet_id in mine][:MOST]
    if len(found) < MOST:
        others = on_map.where(Outlet.id.not_in([outlet.id for outlet in found]))
        order = (_nearness(found[0]), Outlet.name, Outlet.id) if found else (Outlet.name, Outlet.id)
        found += session.scalars(others.order_by(*order).limit(MOST - len(found)))
    return tuple(_offered(found))


def _offered(outlets: Iterable[Outlet]) -> Iterable[Place]:
    for outlet in outlets:
        if outlet.latitude is not None and outlet.longitude is not None:
            text = _("%(outlet)s: show your card at the till", outlet=outlet.name)
            yield Place(outlet.latitude, outlet.longitude, text)


def _nearness(outlet: Outlet) -> object:
    """Return an SQL expression that grows with the distance: a plane is flat enough to compare outlets of a region."""
    latitude, longitude = outlet.latitude or 0.0, outlet.longitude or 0.0
    shrink = math.cos(math.radians(latitude)) ** 2  # a degree of longitude is shorter the farther north
    north, east = Outlet.latitude - latitude, Outlet.longitude - longitude
    return north * north + east * east * shrink
