"""The profile: contacts, consents, language and devices, each change a form of its own."""

from datetime import datetime
from typing import Any

from flask import Response, g, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from app.core import clock, i18n, web
from app.core.errors import LeimaError, NotFound
from app.core.i18n import gettext as _
from app.delivery import subscriptions
from app.doors.member import devices, language, shape
from app.doors.member.card import version
from app.doors.member.entry import browser_token, keep_browser
from app.doors.member.home import blueprint, me, shell
from app.members import consents, lookup, sign_in, wordings
from app.members import service as members
from app.members.models import Member, Wording
from app.members.rules import show_contact
from app.wallet import service as wallet


@blueprint.get("/profile")
def profile() -> Response:
    """Show what the brand knows of the member and may do with it."""
    return show()


def show(errors: dict[str, str] | None = None, status: int = 200) -> Response:
    """Show the profile; `errors` name the field that was refused."""
    session = web.session()
    member = me(session)
    notice = {
        "saved": _("Saved."),
        "sent": _("A code is on its way. Type it on your card."),
        "withdrawn": _("Withdrawn. We stop at once."),
    }.get(request.args.get("done", ""))
    terms = session.get(Wording, member.terms_id) if member.terms_id else None
    return web.page(
        "member/profile.html",
        status,
        me=shell(session, member),
        etag=version(session, member),
        first_name=member.first_name or "",
        birth_month=member.birth_month,
        months=[(number, i18n.month(number)) for number in range(1, 13)],
        contacts=[
            {
                "id": row.public_id,
                "kind": row.kind,
                "value": show_contact(row.kind, row.value),
                "confirmed": row.confirmed_at is not None,
            }
            for row in lookup.contacts_of(session, member.id)
        ],
        consents=_consents(member),
        devices=[
            {
                "id": row.public_id,
                "name": row.device or _("A browser"),
                "seen": shape.when(row.started_at),
                "current": row.id == g.login_id,
            }
            for row in members.devices(session, member)
        ],
        terms={"version": terms.version if terms else 1, "accepted": _date(member.joined_at)},
        languages=language.every(),
        notice=notice,
        errors=errors or {},
    )


def _again(field: str, error: LeimaError) -> Response:
    web.end_unit(keep=False)  # the page only reads: nobody waits for it to be drawn
    return show({field: error.message}, error.status)


def _date(moment: datetime) -> str:
    return i18n.format_date(clock.local_date(moment, g.brand.zone))


def _consents(member: Member) -> list[dict[str, Any]]:
    session = web.session()
    held = consents.current(session, member.id)
    sources = {
        "web": _("on the web"),
        "poster": _("from a poster"),
        "till": _("at the till"),
        "profile": _("here in your profile"),
    }
    shown = []
    for channel, wording in _offered(member).items():
        event = held.get(channel)
        state = {"renewed": "granted"}.get(event.state, event.state) if event else "none"
        since = shape.when(event.at) if event else ""
        source = sources.get(event.source, "") if event else ""
        shown.append(
            {
                "channel": channel,
                "text": wording.text,
                "wording": wording.public_id,
                "state": state,
                "since": since,
                "source": source,
            }
        )
    return shown


def _offered(member: Member) -> dict[str, Wording]:
    """Return channel → sentence of what may be asked; the wallet's only of who has a pass or has decided about it."""
    session = web.session()
    asked = wallet.added(session, member.id) or "wallet" in consents.current(session, member.id)
    channels = wordings.CONSENT_CHANNELS if asked else wordings.MARKETING_CHANNELS
    return wordings.offered(session, member.language, channels)


def done(what: str = "saved") -> BaseResponse:
    """Go back to the profile with a word about what was done."""
    return redirect(f"/{g.brand.slug}/profile?done={what}", 303)


@blueprint.post("/profile/name")
def rename() -> Response | BaseResponse:
    """Change the first name."""
    try:
        members.rename(web.session(), me(web.session()), request.form.get("first_name", ""))
    except LeimaError as error:
        return _again("first_name", error)
    return done()


@blueprint.post("/profile/birth-month")
def change_birth_month() -> Response | BaseResponse:
    """Note the month of birth, or forget it."""
    typed = request.form.get("birth_month", "")
    month = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 3 else 0
    try:
        members.set_birth_month(web.session(), me(web.session()), month if typed else None)
    except LeimaError as error:
        return _again("birth_month", error)
    return done()


@blueprint.post("/profile/contacts")
def add_contact() -> Response | BaseResponse:
    """Add a contact and send its code."""
    contact = request.form.get("contact", "")
    sign_in.count_ask(web.database(), g.brand_id, contact=contact, address=web.client_address())
    browser = browser_token()
    try:
        members.add_contact(web.session(), me(web.session()), contact, browser=browser)
    except LeimaError as error:
        return _again("contact", error)
    return keep_browser(done("sent"), browser)


@blueprint.post("/profile/consents")
def consent() -> Response | BaseResponse:
    """Give or withdraw one consent; each is a new event."""
    session = web.session()
    channel, member = request.form.get("channel", ""), me(session)
    if channel not in _offered(member):
        raise NotFound(_("There is no such consent."))
    if request.form.get("action") == "withdraw":
        consents.withdraw(session, member, channel)
        if channel == "push":
            subscriptions.drop_all(session, member.id)  # stamps and coupons too: we said that we stop at once
        return done("withdrawn")
    live = channel == "wallet" or (channel == "push" and bool(subscriptions.of_member(session, member.id)))
    try:
        consents.give(session, member, channel, wording=request.form.get("wording") or None, live=live)
    except LeimaError as error:
        return _again("contact", error)
    return done()


@blueprint.post("/profile/language")
def change_language() -> BaseResponse:
    """Speak another language from now on, on the phone and in messages."""
    code = request.form.get("lang", "")
    members.set_language(web.session(), me(web.session()), code)
    if code in i18n.LANGUAGES:
        language.remember(code)
    return done()


@blueprint.post("/profile/devices/<device>/sign-out")
def end_device(device: str) -> BaseResponse:
    """End the log-in of another device: no pushes any more, and its code at the till only earns."""
    session = web.session()
    login_id = members.end_device(session, me(session), device)
    if login_id is None:
        raise NotFound(_("That device is signed out already."))
    subscriptions.drop_login(session, login_id)
    return done()


@blueprint.post("/sign-out")
def sign_out() -> BaseResponse:
    """End the log-in of this device, and renew the secret it knows; the service worker wipes what it kept."""
    members.renew_secrets(web.session(), me(web.session()))
    response = redirect(f"/{g.brand.slug}/sign-in", 303)
    devices.log_out(response)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response
