"""A manager's PIN at a till, with the lock against guessing; checked before the unit opens, so that counts stay."""

from datetime import timedelta

from flask import g

from app.core import clock, web
from app.core.errors import TooMany
from app.core.i18n import gettext as _
from app.network import pins, tills

WRONG_PINS = 5  # of one manager, at all tills together
LOCKED = timedelta(minutes=15)


class TooManyWrongPins(TooMany):
    """Five wrong PINs of one manager within 15 minutes."""

    code = "approval_tries_used_up"


def check(staff: str, pin: str) -> str:
    """Return the public id of the manager who approves at the till of this request.

    A try is counted before the PIN is looked at and given back when it was right, so that many tries at once are no
    more than one after the other.

    Args:
        staff: public id.

    Raises:
        pins.ApprovalRefused: this PIN cannot approve here.
        TooManyWrongPins: five wrong ones before.
    """
    key = f"pin:{g.brand_id}:{staff}"
    try:
        web.limit(key, most=WRONG_PINS, window=LOCKED)
    except TooMany as error:
        message = _("Too many wrong PINs. Please wait a moment.")
        raise TooManyWrongPins(message, retry_after=error.retry_after) from None
    with web.database().reading(g.brand_id) as reading:
        reseller = tills.till_place(reading, g.till_id).reseller
        approver = pins.check_pin(reading, staff, pin, reseller_id=reseller.id).public_id
    web.database().uncount(key, now=clock.now())
    return approver
