"""Rows as words: what the till's templates show."""

import re
from datetime import datetime, timedelta
from typing import Any

from flask import g
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import units, views
from app.cards.faces import face
from app.core import clock, i18n
from app.core.errors import LeimaError
from app.core.i18n import gettext as _
from app.members import allowing, lookup, scans
from app.members import service as members
from app.members.models import Member, Scan
from app.reports import register
from app.rewards.service import CouponView, print_code

FROM_PAGE = re.compile(r"/till/scan/([0-9A-Z]{26})")


def clock_time(moment: datetime) -> str:
    """Return hour and minute in the brand's zone."""
    return i18n.format_time(moment, g.brand.zone)


def short_day(moment: datetime) -> str:
    """Return a day in the brand's zone, with its year when that is not this year."""
    local, today = clock.local_date(moment, g.brand.zone), clock.local_date(clock.now(), g.brand.zone)
    return i18n.format_day(local, with_year=local.year != today.year)


def name(member: Member) -> str:
    """Return what a till calls a member."""
    return members.display_name(member) or _("Member")


def signed(kind: str, amount: int, unit: units.Unit) -> str:
    """Return what was given with its sign, `+1 stamp` or `+0,17 € bonus`; "No stamps" for none."""
    return units.signed(kind, amount, unit) if amount else _("No %(unit)s", unit=unit[1])


def cards(session: Session, member_id: int) -> list[dict[str, Any]]:
    """Return a member's cards, the main one first; an empty place where the brand runs no program."""
    found = [
        {
            "name": card.name, "kind": card.kind, "stamps": card.balance, "size": card.size, "face": shown,
            "share": 100 * shown.done // shown.whole if shown.whole else None,
        }
        for card in views.cards(session, member_id)
        for shown in (face(card, g.brand.zone),)
    ]  # fmt: skip
    return found or [{"name": "", "kind": "", "stamps": 0, "size": 0, "face": None, "share": None}]


def scan(session: Session, found: Scan, member: Member, coupons: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a member who stands at the till."""
    since = _("member since %(day)s", day=i18n.format_date(clock.local_date(member.joined_at, g.brand.zone)))
    return {
        "id": found.public_id,
        "seconds_left": max(0, int((found.ends_at - clock.now()).total_seconds())),
        "may_redeem": found.may_redeem,
        "redeem_reason": "" if found.may_redeem else why_not(found),
        "asked": _asked(session, found),
        "member": {"name": name(member), "since": since, "last_visit": _last_visit(session, member.id)},
        "cards": cards(session, member.id),
        "coupons": coupons,
    }


def _asked(session: Session, found: Scan) -> str:
    """Return what became of the question in the member's app; empty where there is none."""
    asked = allowing.of_scan(session, found)
    return asked.state if asked else ""


def why_not(found: Scan) -> str:
    """Return why a scan may not redeem."""
    if found.note == scans.STALE:
        return _("The code on the phone was too old to redeem. Scan it again, or type the coupon's own code.")
    if found.note == scans.USED:
        return _("This code was scanned before. Scan the next one, or type the coupon's own code.")
    return _("To redeem, scan the moving code in the member's app, or type the coupon's own code.")


def _last_visit(session: Session, member_id: int) -> str:
    at = register.facts(session, member_id).last_visit
    if at is None:
        return _("First visit")
    local, today = clock.local_date(at, g.brand.zone), clock.local_date(clock.now(), g.brand.zone)
    if local == today:
        return _("Last visit today %(time)s", time=clock_time(at))
    if local == today - timedelta(days=1):
        return _("Last visit yesterday")
    return _("Last visit %(day)s", day=short_day(at))


def offer(view: CouponView, key: str) -> dict[str, Any]:
    """Return a usable coupon of the member at the till, with the key of its button."""
    until = _("until %(day)s", day=short_day(view.coupon.expires_at))
    return {"id": view.coupon.public_id, "title": title(view), "detail": worth(view), "until": until, "key": key}


def title(view: CouponView) -> str:
    """Return what a coupon is for."""
    return i18n.pick(view.reward.name)


def worth(view: CouponView) -> str:
    """Return a reward's value for the member; empty when it has none."""
    return _("Worth %(amount)s", amount=i18n.format_cents(view.reward.face_cents)) if view.reward.face_cents else ""


def voucher(view: CouponView, refused: LeimaError | None) -> dict[str, Any]:
    """Return a coupon whose own code was scanned; `refused` is why it cannot be used."""
    return {
        "code": view.code,
        "spoken": print_code(view.code).replace("-", " "),
        "title": title(view),
        "value": worth(view),
        "until": _("Valid until %(day)s", day=short_day(view.coupon.expires_at)) if refused is None else "",
        "terms": i18n.pick(view.reward.terms) if view.reward.terms else "",
        "usable": refused is None,
        "reason": why(refused) if refused else "",
    }


def why(error: LeimaError) -> str:
    """Return a refusal as a sentence, with day and place where a coupon was used."""
    at, outlet = error.extra.get("at"), error.extra.get("outlet")
    if error.extra.get("state") == "redeemed" and at and outlet:
        moment = datetime.fromisoformat(str(at))
        return _(
            "Used on %(day)s at %(time)s, %(outlet)s.", day=short_day(moment), time=clock_time(moment), outlet=outlet
        )
    if error.extra.get("state") == "expired" and at:
        return _("Expired on %(day)s.", day=short_day(datetime.fromisoformat(str(at))))
    return error.message


def back(session: Session, path: str, *, till_id: int) -> dict[str, str] | None:
    """Return the member's page that a coupon was scanned on, when it is this till's; else nothing."""
    found = FROM_PAGE.fullmatch(path)
    row = session.scalar(select(Scan).where(Scan.public_id == found[1], Scan.till_id == till_id)) if found else None
    member = lookup.live(session, row.member_id) if row and row.ends_at > clock.now() else None
    return {"url": path, "name": name(member)} if member else None
