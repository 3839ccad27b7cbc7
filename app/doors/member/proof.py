"""Proving a contact: signing in on another device, confirming what was typed at joining, merging."""

from datetime import timedelta
from typing import Any

from flask import Response, g, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from app.cards import merge
from app.core import i18n, web
from app.core.errors import Invalid, LeimaError
from app.core.i18n import gettext as _
from app.delivery import subscriptions
from app.doors.member import card, devices, language
from app.doors.member.entry import blueprint, browser_token, keep_browser
from app.members import codes, lookup, sign_in
from app.members import service as members
from app.members.models import Member
from app.members.rules import mask_contact
from app.rewards import service as rewards


@blueprint.get("/sign-in")
def sign_in_page() -> Response:
    """Ask which contact the card has."""
    return web.page(
        "member/sign_in.html", languages=language.choices(), step="contact", contact="", error="", sent=False
    )


@blueprint.post("/sign-in")
def ask_sign_in() -> Response | BaseResponse:
    """Send a code to a contact, if it has a card; the answer is the same if not."""
    contact = request.form.get("contact", "")
    sign_in.count_ask(web.database(), g.brand_id, contact=contact, address=web.client_address())
    browser = browser_token()
    try:
        sign_in.ask(
            web.session(), contact=contact, purpose="sign_in", member=None, browser=browser, language=i18n.language()
        )
    except Invalid as error:
        web.end_unit(keep=False)
        values = {"step": "contact", "contact": contact[:254], "error": error.message, "sent": False}
        return web.page("member/sign_in.html", 422, languages=language.choices(), **values)
    return keep_browser(redirect(f"/{g.brand.slug}/sign-in/code", 303), browser)


@blueprint.get("/sign-in/code")
def sign_in_code() -> Response | BaseResponse:
    """Ask for the code that was sent."""
    return _code_page(sent=True)


def _code_page(*, error: str = "", sent: bool = False, status: int = 200) -> Response | BaseResponse:
    session = web.session()
    row = codes.newest(session, browser=browser_token())
    if row is None:
        return redirect(f"/{g.brand.slug}/sign-in", 303)
    known = codes.contact_in(session, row)
    values = {"step": "code", "contact": mask_contact(known.kind, known.value), "error": error, "sent": sent}
    return web.page("member/sign_in.html", status, languages=language.choices(), **values)


@blueprint.post("/sign-in/code")
def do_sign_in() -> Response | BaseResponse:
    """Sign in with the code, on this browser only."""
    try:
        confirmed = _prove()
    except (sign_in.CodeWrong, codes.CodeUnusable) as error:
        web.end_unit(keep=False)
        return _code_page(error=error.message, status=error.status)
    return _enter(confirmed)


@blueprint.get("/confirm")
def confirm_page() -> Response | BaseResponse:
    """Show the form of a code, or the one button of a link; nothing is used up by looking."""
    session, token = web.session(), request.args.get("token", "")[:200]
    if token:
        peek = sign_in.peek(session, token, browser=browser_token())
        error = "" if peek else _("This link has been used, or its 10 minutes are over.")
        if peek and not peek.here:
            error = sign_in.ConfirmWhereAsked().message
        return _confirm_page(
            token=token, contact=peek.contact if peek else None, kind=peek.kind if peek else "email", error=error
        )
    member = lookup.live(session, g.member_id) if g.member_id is not None else None
    waiting = lookup.pending_contact(session, member.id) if member else None
    if waiting is None:
        return redirect(f"/{g.brand.slug}/", 303)
    return _confirm_page(
        contact=mask_contact(waiting.kind, waiting.value), kind=waiting.kind, sent=request.args.get("sent") == "1"
    )


def _confirm_page(*, status: int = 200, **values: Any) -> Response:
    empty = {"me": None, "contact": None, "kind": "email", "token": None, "error": "", "sent": False}
    return web.page("member/confirm.html", status, **{**empty, **values})


@blueprint.post("/confirm")
def do_confirm() -> Response | BaseResponse:
    """Confirm a contact by the typed code, or by the button behind the link."""
    token = request.form.get("token", "")[:200]
    try:
        if token:
            web.limit(f"link:{web.client_address()}", most=30, window=timedelta(minutes=10))
            confirmed = sign_in.confirm_link(web.session(), token, browser=browser_token())
        else:
            confirmed = _prove()
    except (sign_in.CodeWrong, codes.CodeUnusable, sign_in.ConfirmWhereAsked) as error:
        web.end_unit(keep=False)
        if token:
            return _confirm_page(status=error.status, token=token, error=error.message)
        return _confirm_again(error)
    return _enter(confirmed)


def _confirm_again(error: LeimaError) -> Response:
    if request.form.get("next") == "card" and g.member_id is not None:
        i18n.set_language(_member(web.session()).language)
        return card.show(error.message, error.status)
    return _confirm_page(status=error.status, error=error.message)


def _member(session: Session) -> Member:
    member = lookup.live(session, g.member_id)
    if member is None:
        raise codes.CodeUnusable
    return member


@blueprint.post("/confirm/again")
def confirm_again() -> BaseResponse:
    """Send a new code for the contact that waits."""
    with web.database().reading(g.brand_id) as session:
        waiting = lookup.pending_contact(session, g.member_id) if g.member_id is not None else None
    if waiting is None:
        return redirect(f"/{g.brand.slug}/", 303)
    sign_in.count_ask(web.database(), g.brand_id, contact=waiting.value, address=web.client_address())
    browser = browser_token()
    members.ask_again(web.session(), _member(web.session()), browser=browser)
    return keep_browser(redirect(f"/{g.brand.slug}/confirm?sent=1", 303), browser)


def _prove() -> sign_in.Confirmed:
    """Count the try in a transaction of its own, then compare."""
    browser = browser_token()
    with web.database().reading(g.brand_id) as session:
        row = codes.newest(session, browser=browser)
    if row is None:
        raise codes.CodeUnusable
    attempt = codes.count_try(web.database(), g.brand_id, row.public_id)
    return sign_in.confirm(web.session(), attempt, digits=request.form.get("code", "")[:20], browser=browser)


def _enter(confirmed: sign_in.Confirmed) -> BaseResponse:
    """Merge where the contact was another member's, give the welcome gift, and let this browser in."""
    session = web.session()
    member = session.get_one(Member, confirmed.member_id)
    if confirmed.merged_from is not None:
        newcomer = session.get_one(Member, confirmed.merged_from)
        member = merge.absorb(session, newcomer, into=member)
        subscriptions.move(session, member_id=newcomer.id, into_id=member.id)
    elif confirmed.purpose == "confirm":
        for contact in lookup.contacts_of(session, member.id):
            if contact.confirmed_at is not None:
                rewards.give_welcome(session, member_id=member.id, contact=contact.value)
                break
    response = redirect(f"/{g.brand.slug}/", 303)
    devices.log_in(response, member.id)
    return response
