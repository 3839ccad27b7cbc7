"""A member's story in the console's words: purchases, coupons, refunds, consents, the day of joining."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import g
from sqlalchemy.orm import Session

from app.cards import happenings
from app.cards.happenings import Gain, Happening
from app.cards.story import story
from app.core import clock, i18n
from app.core.i18n import gettext as _
from app.members.models import ConsentEvent, Member
from app.reports import register

KINDS = {
    "purchase": "purchase", "refund": "refund", "coupon_issued": "issued", "coupon_redeemed": "redeemed",
    "coupon_returned": "refund", "coupon_revoked": "refund", "coupon_expired": "issued", "earned": "purchase",
    "spent": "redeemed", "spend_returned": "refund", "expired": "issued", "released": "redeemed", "adjusted": "refund",
    "moved": "joined", "gift_card_issued": "issued", "gift_card_used": "redeemed", "gift_card_returned": "refund",
    "gift_card_expired": "issued", "gift_card_revoked": "refund",
}  # fmt: skip


def events(session: Session, member: Member, *, most: int) -> list[dict[str, Any]]:
    """Return what happened to a member, newest first, at most so many."""
    found = [(line.at, _happening(line)) for line in story(session, member.id, most=most)]
    found += [(row.at, _consent(row)) for row in register.consent_changes(session, member.id)]
    found.append((member.joined_at, _event("joined", _("Joined"), source(member.source))))
    found.sort(key=lambda pair: pair[0], reverse=True)
    return [{**event, "day": _day(at), "time": i18n.format_time(at, g.brand.zone)} for at, event in found[:most]]


def _day(moment: datetime) -> str:
    return i18n.format_day(clock.local_date(moment, g.brand.zone), with_year=True)


def _event(kind: str, title: str, detail: str = "", gains: Sequence[Gain] = ()) -> dict[str, Any]:
    changes = [{"text": gain.text, "tone": gain.tone} for gain in gains]
    return {"kind": kind, "title": title, "detail": detail, "changes": changes}


def _happening(line: Happening) -> dict[str, Any]:
    words = {"title": line.title, "outlet": line.outlet or ""}
    titles = {
        "purchase": _("Purchase at %(outlet)s", **words),
        "refund": _("Refund at %(outlet)s", **words),
        "coupon_issued": _("Got a coupon: %(title)s", **words),
        "coupon_redeemed": _("Used %(title)s at %(outlet)s", **words),
        "coupon_returned": _("%(title)s came back", **words),
        "coupon_revoked": _("%(title)s was taken back", **words),
        "coupon_expired": _("%(title)s expired", **words),
    }
    amount = i18n.format_cents(line.amount_cents) if line.amount_cents is not None else ""
    gains = [gain for gain in line.gains if gain.amount]
    where = line.outlet if line.outlet and line.kind not in ("purchase", "refund", "coupon_redeemed") else ""
    detail = ", ".join(filter(None, (where, amount, *line.reasons)))
    title = titles.get(line.kind) or happenings.title(line)
    return _event(KINDS[line.kind], title, detail, gains)


def _consent(row: ConsentEvent) -> dict[str, Any]:
    title = _("%(channel)s: %(state)s", channel=channel(row.channel), state=state(row.state))
    return _event("consent", title, source(row.source))


def channel(name: str) -> str:
    """Return a consent's channel for people."""
    names = {"email": _("Email"), "sms": _("Text messages"), "push": _("Notifications"), "wallet": _("Wallet")}
    return names.get(name, name)


def state(name: str) -> str:
    """Return a consent's state for people."""
    names = {
        "granted": _("allowed"), "renewed": _("allowed again"), "pending": _("waits for confirmation"),
        "refused": _("refused"), "withdrawn": _("withdrawn"),
    }  # fmt: skip
    return names.get(name, name)


def source(name: str) -> str:
    """Return where somebody joined or decided, for people."""
    names = {
        "web": _("on the web"), "poster": _("from a poster"), "outlet": _("at an outlet"), "till": _("at the till"),
        "kiosk": _("at a kiosk"), "banner": _("from a banner"), "roll_up": _("from a roll-up"),
        "qr_poster": _("from a poster"), "web_shop": _("in the web shop"), "referral": _("invited by a friend"),
        "sms": _("by text message"), "profile": _("in the profile"),
    }  # fmt: skip
    return names.get(name, name)
