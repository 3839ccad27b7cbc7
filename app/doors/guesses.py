"""Codes typed or scanned at a till, with the locks against guessing. Shared by the till API and the till page."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

from flask import Response, after_this_request, g

from app.core import clock, web
from app.core.errors import LeimaError, TooMany
from app.core.i18n import gettext as _
from app.members import lookup, scans
from app.members.models import Member, Scan
from app.members.rules import read_member_text
from app.network.models import Till
from app.rewards import service as rewards

WRONG_COUPONS = 10  # wrong coupon codes of a till in a minute, then it waits
UNKNOWN_CODES = 30  # member codes of nobody, at a till in a minute: a member's code cannot be found by trying
WINDOW = timedelta(minutes=1)
STALE_DIGITS = 10  # of one member code, at all tills together; then its digits are not looked at
STALE_WINDOW = timedelta(minutes=10)
T = TypeVar("T")


class TooManyWrongCoupons(TooMany):
    """This till tried too many wrong codes of coupons or gift cards."""

    code = "coupon_tries_used_up"


class TooManyUnknownCodes(TooMany):
    """This till tried too many codes that are no member's."""

    code = "member_tries_used_up"


def coupon(code: str) -> rewards.CouponView:
    """Return the coupon of a code at the till of this request.

    Raises:
        rewards.CouponUnknown: no such coupon.
        TooManyWrongCoupons: ten wrong codes within a minute.
    """
    return counted(lambda: rewards.find(web.session(), code))


def gift_card(code: str) -> rewards.GiftCardView:
    """Return the gift card of a code at the till of this request; wrong ones count as wrong coupons do.

    Raises:
        rewards.GiftCardUnknown: no such gift card.
        TooManyWrongCoupons: ten wrong codes within a minute.
    """
    return counted(lambda: rewards.find_gift_card(web.session(), code))


def counted(find: Callable[[], T]) -> T:
    """Find a coupon or gift card; what names none is counted once, whatever way it was said.

    Raises:
        rewards.CouponUnknown, rewards.GiftCardUnknown: as `find` does.
        TooManyWrongCoupons: ten wrong codes within a minute.
    """
    refusal = TooManyWrongCoupons(_("Too many wrong codes. Please wait a minute."), retry_after=60)
    unknown = (rewards.CouponUnknown, rewards.GiftCardUnknown)
    return _counted("coupon", find, unknown, most=WRONG_COUPONS, refusal=refusal)


def scan(text: str, *, till: Till) -> Scan:
    """Read a member's code at the till of this request. After ten wrong digits a code only earns for a while.

    Raises:
        scans.MemberCodeUnknown: it names nobody here.
        TooManyUnknownCodes: thirty such codes within a minute.
    """
    said = read_member_text(text)
    key = f"digits:{g.brand_id}:{said.id}" if said is not None and said.digits else ""
    may_guess = not key or web.database().tries(key, now=clock.now()) < STALE_DIGITS
    found = _member(lambda: scans.read(web.session(), text, till=till, may_guess=may_guess))
    if key and may_guess and found.note == scans.STALE:
        _count_later(key)
    return found


def _count_later(key: str) -> None:
    """Count when the scan is kept and its transaction, with the write lock that the count needs, is over."""

    @after_this_request
    def _count(response: Response) -> Response:
        with suppress(TooMany):  # this one was let in before others filled the count
            web.limit(key, most=STALE_DIGITS, window=STALE_WINDOW)
        return response


def member(text: str) -> Member:
    """Return the member whose code a till kept.

    Raises:
        scans.MemberCodeUnknown, TooManyUnknownCodes: as `scan`.
    """

    def find() -> Member:
        known = lookup.find_by_code(web.session(), text)
        if known is None:
            raise scans.MemberCodeUnknown(_("This is not the code of a card here."))
        return known

    return _member(find)


def _member(do: Callable[[], T]) -> T:
    refusal = TooManyUnknownCodes(_("Too many unknown codes. Please wait a minute."), retry_after=60)
    return _counted("scan", do, (scans.MemberCodeUnknown,), most=UNKNOWN_CODES, refusal=refusal)


def _counted(
    kind: str, do: Callable[[], T], unknown: tuple[type[LeimaError], ...], *, most: int, refusal: TooMany
) -> T:
    """Count only what names nothing, in a transaction of its own that the refusal cannot take back."""
    key = f"{kind}:{g.till_id}"
    if web.database().tries(key, now=clock.now()) >= most:
        raise refusal
    try:
        return do()
    except unknown:
        web.end_unit(keep=False)  # its transaction would hold the write lock that the count needs
        web.limit(key, most=most, window=WINDOW)
        raise
