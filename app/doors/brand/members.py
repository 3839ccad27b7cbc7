"""The members' register: a list to search, and one member's timeline."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Response, g, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from app.cards import views
from app.cards.faces import face, figure
from app.core import clock, i18n, web
from app.core.i18n import gettext as _
from app.doors.brand import grants, timeline
from app.doors.brand.door import blueprint, page
from app.members import consents, lookup
from app.members.models import Member
from app.members.rules import display_name, initials, mask_contact
from app.network import service as network
from app.reports import register
from app.wallet import figures

SHOWN, MOST = 60, 600  # events of a timeline at first, and at all


@blueprint.get("/members")
def members() -> Response:
    """Show members, the newest first, 50 on a page."""
    q = request.args.get("q", "").strip()[: register.LONGEST]
    found = register.search(web.session(), q=q, page=_number("page", 1))
    first = (found.number - 1) * register.PAGE + 1
    return page(
        "members", here="members", q=q, members=[_row(row) for row in found.rows], total=found.total, first=first,
        last=first + len(found.rows) - 1, previous=_url(q, found.number - 1) if found.number > 1 else None,
        following=_url(q, found.number + 1) if found.number < found.pages else None,
    )  # fmt: skip


def _number(name: str, otherwise: int) -> int:
    """Return a whole number from 1 of the address, or what is meant without one."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 and int(text) else otherwise


def _url(q: str, number: int) -> str:
    return "/brand/members?" + urlencode({**({"q": q} if q else {}), "page": number})


def _row(row: register.Row) -> dict[str, Any]:
    return {
        "id": row.member.public_id,
        "name": display_name(row.member.first_name, row.member.last_name),
        "contact": mask_contact(row.contact.kind, row.contact.value) if row.contact else "",
        "joined": _day(row.member.joined_at),
        "source": timeline.source(row.member.source),
        "cards": [{"name": card.name, "figure": shown} for card in row.cards if (shown := figure(card))],
        "last_visit": _day(row.last_visit) if row.last_visit else "",
    }


def _day(moment: datetime) -> str:
    return i18n.format_day(clock.local_date(moment, g.brand.zone), with_year=True)


@blueprint.get("/members/<public_id>")
def member(public_id: str) -> Response | BaseResponse:
    """Show one member and everything that happened; a card that was merged leads to the one it became."""
    session = web.session()
    if not public_id.isalnum() or not public_id.isascii():
        raise register.MemberUnknown(_("There is no such member."))
    found = register.find(session, public_id)
    if found.public_id != public_id:
        return redirect(f"/brand/members/{found.public_id}", 303)
    most = min(_number("show", SHOWN), MOST)
    events = timeline.events(session, found, most=most + 1)
    more = f"/brand/members/{public_id}?show={most + SHOWN * 2}" if len(events) > most and most < MOST else None
    return page(
        "member", here="members", member=_profile(found), events=events[:most], more=more, public_id=public_id,
        giving=grants.giving(),
    )  # fmt: skip


def _profile(row: Member) -> dict[str, Any]:
    session = web.session()
    rows = lookup.contacts_of(session, row.id)
    values = [{"value": mask_contact(c.kind, c.value), "confirmed": c.confirmed_at is not None} for c in rows]
    cards = [{"name": card.name, "face": face(card, g.brand.zone)} for card in views.cards(session, row.id)]
    return {
        "name": display_name(row.first_name, row.last_name),
        "initials": initials(row.first_name, row.last_name) or "–",
        "since": _since(row),
        "contacts": values,
        "cards": cards,
        "facts": _facts(row),
        "consents": _consents(row),
    }


def _since(row: Member) -> str:
    values = {"day": _day(row.joined_at), "source": timeline.source(row.source)}
    if row.outlet_id is None:
        return _("Joined %(day)s, %(source)s", **values)
    outlet = network.outlet_by_id(web.session(), row.outlet_id)
    if row.source == "outlet":
        return _("Joined %(day)s at %(outlet)s", outlet=outlet.name, **values)
    return _("Joined %(day)s, %(source)s, %(outlet)s", outlet=outlet.name, **values)


def _facts(row: Member) -> list[dict[str, str]]:
    found = register.facts(web.session(), row.id)
    facts = [
        {"value": str(found.sales), "label": _("Purchases")},
        {"value": i18n.format_cents(found.cents), "label": _("Spent")},
        {"value": str(found.redeemed), "label": _("Coupons used")},
    ]
    if found.last_visit:
        facts.append({"value": _day(found.last_visit), "label": _("Last visit")})
    return [*facts, *_wallets(row)]


def _wallets(row: Member) -> list[dict[str, str]]:
    """Return what the member has in wallets; nothing where there is nothing."""
    found = figures.of_member(web.session(), lookup.family(web.session(), row.id))
    shown = [
        (found.phones, _("Phones with Apple Wallet")),
        (found.saves, _("Saved to Google Wallet")),
        (found.removals, _("Removed from Google Wallet")),
    ]
    return [{"value": str(number), "label": label} for number, label in shown if number]


def _consents(row: Member) -> list[dict[str, str]]:
    held = consents.current(web.session(), row.id)
    return [
        {
            "title": timeline.channel(name),
            "state": "granted" if event.state in consents.GRANTED else event.state,
            "state_text": timeline.state(event.state),
            "since": _day(event.at),
        }
        for name, event in sorted(held.items())
    ]
