"""What a sale at the till page is paid with beside money, as its form says: coupons, gift cards, bonus, an approval."""

from contextlib import suppress
from urllib.parse import urlencode

from flask import request
from werkzeug.datastructures import MultiDict

from app.cards.paying import CodeTwice, Wishes
from app.core import web
from app.core.errors import Invalid
from app.core.i18n import gettext as _
from app.core.money import AmountInvalid, to_cents
from app.doors import approvals, guesses
from app.doors.idempotency import answered
from app.doors.till import readings
from app.doors.till.door import ID
from app.members import scans
from app.members.models import Member, Scan
from app.rewards import service as rewards

SPEND = "spend-"  # and the program's short name: cents of a bonus
SALE = ("amount", "receipt", "use", "gift", "code")  # what else a sale's form has in it
MOST_FIELDS = 30


class ApproverMissing(Invalid):
    """A PIN without the manager whose it is."""

    code = "approver_missing"


def cents(typed: str) -> int:
    """Return the cents of an amount as people type it.

    Raises:
        AmountInvalid
    """
    try:
        return to_cents(typed)
    except AmountInvalid:
        raise AmountInvalid(_("Please type the amount in euros, like 8,40.")) from None


def wishes(found: Scan, member: Member, given: MultiDict[str, str]) -> Wishes:
    """Return what a form wants to pay with: `use` and `gift` are the member's own by id, `code` is a reading.

    Raises:
        scans.RedeemNotAllowed: the member's own need a scan that may redeem.
        CouponUnknown, GiftCardUnknown, TooManyWrongCoupons, CodeTwice, AmountInvalid: it cannot be meant.
    """
    spend = {name.removeprefix(SPEND): cents(typed) for name, typed in spends(given).items() if typed.strip()}
    own = given.getlist("use") + given.getlist("gift")
    if own or spend:
        scans.demand_redeem(found)
    session = web.session()
    mine = rewards.of_member(session, member.id) if given.getlist("use") else []
    coupons = [_own(mine, public_id) for public_id in given.getlist("use")]
    cards = rewards.gift_cards_of(session, member.id) if given.getlist("gift") else []
    gifts = [_own_gift(cards, public_id) for public_id in given.getlist("gift")]
    for code in given.getlist("code"):
        read = readings.demand(code)
        (coupons if isinstance(read, rewards.CouponView) else gifts).append(read.code)
    if len(set(coupons)) < len(coupons) or len(set(gifts)) < len(gifts):
        raise CodeTwice(_("A code stands twice in this basket."))
    return Wishes({slug: part for slug, part in spend.items() if part}, tuple(coupons), dict.fromkeys(gifts))


def kept(given: MultiDict[str, str], *codes: str) -> str:
    """Return what a sale's form has in it as a query, with more readings: it must outlive the next code."""
    fields = [
        (name, value[:60])
        for name, value in given.items(multi=True)
        if value and (name in SALE or name.startswith(SPEND))
    ]
    return urlencode(list(dict.fromkeys(fields + [("code", code) for code in codes]))[:MOST_FIELDS])


def spends(given: MultiDict[str, str]) -> dict[str, str]:
    """Return the fields for bonus programs and what is in them."""
    return {name: typed for name, typed in given.items() if name.startswith(SPEND)}


def by_code(code: str) -> readings.View:
    """Return the coupon or gift card of a code that was scanned or typed; a wrong one is counted once.

    Raises:
        CouponUnknown, TooManyWrongCoupons: it is neither's.
    """

    def find() -> readings.View:
        with suppress(rewards.CouponUnknown):
            return rewards.find(web.session(), code)
        try:
            return rewards.find_gift_card(web.session(), code)
        except rewards.GiftCardUnknown:
            raise rewards.CouponUnknown(_("There is no such coupon or gift card.")) from None

    return guesses.counted(find)


def _own(views: list[rewards.CouponView], public_id: str) -> str:
    for view in views:
        if view.coupon.public_id == public_id:
            return view.code
    raise rewards.CouponUnknown(_("There is no such coupon."))


def _own_gift(views: list[rewards.GiftCardView], public_id: str) -> str:
    for view in views:
        if view.card.public_id == public_id:
            return view.code
    raise rewards.GiftCardUnknown(_("There is no such gift card."))


def approver() -> str | None:
    """Return the manager who approves by PIN in this form, before its unit opens; None where no PIN was typed.

    Raises:
        ApproverMissing, pins.ApprovalRefused, approvals.TooManyWrongPins: nobody approves so.
    """
    pin, staff = request.form.get("pin", "").strip(), request.form.get("approver", "")
    if not pin or answered(request.form.get("key", "")):
        return None
    if not ID.fullmatch(staff):
        raise ApproverMissing(_("Please choose the manager whose PIN it is."))
    return approvals.check(staff, pin[:20])
