"""Who may change programs and rewards in the console; everybody of the brand may look."""

from flask import g

from app.core.i18n import gettext as _
from app.doors.brand.wallet import MAY_CHANGE, NotYoursToChange


def may_change() -> bool:
    """Tell whether the person may change programs and rewards."""
    return g.staff.role in MAY_CHANGE


def demand_change() -> None:
    """Refuse who may only look.

    Raises:
        NotYoursToChange
    """
    if not may_change():
        raise NotYoursToChange(_("Only marketing and administrators may change programs and rewards."))
