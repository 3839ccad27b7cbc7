"""Looking a coupon's code up at a till, with the lock against guessing. Shared by the till API and the till page."""

from datetime import timedelta

from flask import g

from app.core import clock, web
from app.core.errors import TooMany
from app.core.i18n import gettext as _
from app.core.web.app import end_unit
from app.rewards import service as rewards

WRONG = 10  # wrong codes of a till in a minute, then it waits
WINDOW = timedelta(minutes=1)


class TooManyWrongCodes(TooMany):
    """This till tried too many wrong coupon codes."""

    code = "coupon_tries_used_up"


def find(code: str) -> rewards.CouponView:
    """Return the coupon of a code typed or scanned at the till of this request (`g.till_id`).

    Raises:
        rewards.CouponUnknown: no such coupon; the try is counted in a transaction of its own.
        TooManyWrongCodes: ten wrong codes within a minute.
    """
    key = f"coupon:{g.till_id}"
    if web.database().tries(key, now=clock.now()) >= WRONG:
        raise TooManyWrongCodes(_("Too many wrong codes. Please wait a minute."), retry_after=60)
    try:
        return rewards.find(web.session(), code)
    except rewards.CouponUnknown:
        end_unit(keep=False)  # its transaction would hold the write lock that the count needs
        web.limit(key, most=WRONG, window=WINDOW)
        raise
