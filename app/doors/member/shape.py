"""Rows as words: what the member's templates show, in the member's language."""

from datetime import datetime, timedelta
from typing import Any

import qrcode
from flask import g
from qrcode.constants import ERROR_CORRECT_M

from app.cards import happenings
from app.cards.faces import face
from app.cards.happenings import Happening
from app.cards.views import Card
from app.core import clock, i18n
from app.core.i18n import gettext as _
from app.members.allowing import Question
from app.rewards.service import CouponView, Use, print_code

_ICONS = {
    "purchase": "stamp", "earned": "stamp", "refund": "undo", "spent": "wallet", "spend_returned": "undo",
    "expired": "clock", "released": "check", "adjusted": "check", "moved": "person", "coupon_issued": "gift",
    "coupon_returned": "undo", "gift_card_issued": "gift", "gift_card_used": "wallet", "gift_card_returned": "undo",
    "gift_card_expired": "clock",
}  # fmt: skip


def qr(text: str) -> dict[str, Any]:
    """Return a QR of level M: its size in modules without the border, and the path of its dark runs."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=0)
    code.add_data(text, optimize=4)
    code.make(fit=True)
    parts = []
    for y, row in enumerate(code.get_matrix()):
        x = 0
        while x < len(row):
            run = 0
            while x + run < len(row) and row[x + run]:
                run += 1
            if run:
                parts.append(f"M{x} {y}.5h{run}")
            x += run or 1
    return {"size": len(code.get_matrix()), "path": "".join(parts)}


def clock_time(moment: datetime) -> str:
    """Return the hour and minute in the brand's zone."""
    return i18n.format_time(moment, g.brand.zone)


def day(moment: datetime) -> str:
    """Return the day in the brand's zone: today, yesterday, or its date."""
    local, today = clock.local_date(moment, g.brand.zone), clock.local_date(clock.now(), g.brand.zone)
    if local == today:
        return _("Today")
    if local == today - timedelta(days=1):
        return _("Yesterday")
    return i18n.format_day(local, with_year=local.year != today.year)


def when(moment: datetime) -> str:
    """Return day and time: `Today 08:14`."""
    return f"{day(moment)} {clock_time(moment)}"


def card(found: Card, way: str = "") -> dict[str, Any]:
    """Return a card as its template draws it; a debt shows as negative stamps, `way` says how far the next tier is."""
    shown = face(found, g.brand.zone)
    return {
        "name": found.name,
        "kind": found.kind,
        "stamps": found.balance,
        "size": found.size,
        "icon": found.icon,
        "reward": found.reward,
        "face": shown,
        "way": way,
        "share": 100 * shown.done // shown.whole if shown.whole else None,
    }


def coupon(
    view: CouponView, *, use: Use | None, holder: str = "", where: str = "", with_qr: bool = False
) -> dict[str, Any]:
    """Return a coupon.

    Args:
        use: when and where it was redeemed.
        holder: the outlet whose till holds it.
        where: the outlets that take it, where not all do.
    """
    states = {"issued": "ready", "reserved": "held", "redeemed": "used"}
    row, state = view.coupon, states.get(view.state, view.state)
    ready = view.usable
    ended = use.at if use and state == "used" else row.ended_at or row.expires_at
    opens = view.reward.valid_from
    later = ready and opens is not None and opens > clock.now()
    return {
        "id": row.public_id,
        "title": i18n.pick(view.reward.name),
        "icon": view.reward.icon,
        "state": state,
        "until": i18n.format_day(clock.local_date(row.expires_at, g.brand.zone)) if ready else "",
        "since": day(opens) if later and opens else "",
        "where": where or _("any outlet"),
        "terms": i18n.pick(view.reward.terms) if view.reward.terms else "",
        "code": print_code(view.code).replace("-", " ") if ready else "",
        "qr": qr(view.code) if with_qr and ready else None,
        "held_until": row.reserved_until.isoformat() if state == "held" and row.reserved_until else "",
        "outlet": use.outlet if use and state == "used" else holder,
        "when": "" if ready else when(ended),
        "note": _("Came back after a refund") if ready and use and use.reversed else "",
    }


def question(asked: Question) -> dict[str, Any]:
    """Return what a till asks."""
    return {"id": asked.public_id, "outlet": asked.outlet, "until": asked.ends_at.isoformat()}


def happening(line: Happening, *, short: bool = False) -> dict[str, Any]:
    """Return one line of the story; `short` leaves the day out."""
    titles = {
        "coupon_redeemed": _("%(reward)s used", reward=line.title),
        "coupon_issued": _("New coupon: %(reward)s", reward=line.title),
        "coupon_returned": _("%(reward)s is back", reward=line.title),
        "coupon_revoked": _("%(reward)s was taken back", reward=line.title),
        "coupon_expired": _("%(reward)s expired", reward=line.title),
        "refund": _("Refund, %(outlet)s", outlet=line.title),
    }
    gains = [{"text": gain.text, "tone": gain.tone} for gain in line.gains if gain.amount]
    icon = _ICONS.get(line.kind, "coupon")
    return {
        "icon": "none" if icon == "stamp" and not gains else icon,
        "title": titles.get(line.kind) or happenings.title(line),
        "when": clock_time(line.at) if short else when(line.at),
        "outlet": line.outlet if line.outlet and line.kind not in ("purchase", "refund") else "",
        "amount": i18n.format_cents(line.amount_cents) if line.amount_cents is not None else "",
        "gains": gains,
        "reasons": line.reasons,
    }
