"""Proving a contact: signing in on another device, confirming what was typed at joining, merging."""

from datetime import timedelta
from typing import Any

from flask import Response, g, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from app.cards import merge, welcome
from app.core import i18n, web
from app.core.errors import Invalid, TooMany
from app.core.i18n import gettext as _
from app.core.i18n import ngettext
from app.delivery import subscriptions
from app.doors.member import card, devices, language
from app.doors.member.entry import R, blueprint, browser_token, keep_browser
from app.members import codes, contacts, lookup, sign_in
from app.members import service as members
from app.members.contacts import ContactValue
from app.members.models import Contact, Member
from app.members.rules import mask_contact


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


def _code_page(
    *, error: str = "", sent: bool = False, status: int = 200, waits: bool = False
) -> Response | BaseResponse:
    session = web.session()
    row = codes.newest(session, browser=browser_token())
    if row is None:
        return redirect(f"/{g.brand.slug}/sign-in", 303)
    known = codes.contact_in(session, row)
    values = {"step": "code", "contact": mask_contact(known.kind, known.value), "error": error, "sent": sent}
    return web.page("member/sign_in.html", status, languages=language.choices(), waits=waits, **values)


@blueprint.post("/sign-in/code")
def do_sign_in() -> Response | BaseResponse:
    """Sign in with the code, on this browser only."""
    try:
        confirmed, contact = _prove()
    except (sign_in.CodeWrong, codes.CodeUnusable) as error:
        web.end_unit(keep=False)
        waits = error.extra.get("left") == 0
        return _code_page(error=_wait(codes.LIFETIME) if waits else error.message, status=error.status, waits=waits)
    except TooMany as error:
        return _later(
            _code_page(error=_wait(timedelta(seconds=error.retry_after)), status=error.status, waits=True), error
        )
    return _enter(confirmed, contact)


def _wait(time: timedelta) -> str:
    """Return how long nothing can be tried."""
    minutes = -(-time // timedelta(minutes=1))
    return ngettext("Too many tries. Please wait %(n)s minute.", "Too many tries. Please wait %(n)s minutes.", minutes)


def _later(response: R, error: TooMany) -> R:
    response.headers["Retry-After"] = str(error.retry_after)
    return response


@blueprint.get("/confirm")
def confirm_page() -> Response | BaseResponse:
    """Show the form of a code, or the one button of a link; nothing is used up by looking."""
    session, token = web.session(), request.args.get("token", "")[:200]
    if token:
        peek = sign_in.peek(session, token, browser=browser_token())
        error = "" if peek else _over()
        if peek and not peek.here:
            error = sign_in.ConfirmWhereAsked().message
        return _confirm_page(
            token=token, contact=peek.contact if peek else None, kind=peek.kind if peek else "email", error=error,
            over=peek is None,
        )  # fmt: skip
    waiting = _waiting(session, request.args.get("contact", ""))
    if waiting is None:
        return redirect(f"/{g.brand.slug}/", 303)
    return _confirm_page(**_shown(waiting), sent=request.args.get("sent") == "1")


def _over() -> str:
    return _("This link has been used, or its 10 minutes are over.")


def _waiting(session: Session, public_id: str, *, otherwise: bool = True) -> Contact | None:
    """Return the member's contact that a form names, otherwise the one asked for last; None when nothing waits."""
    if g.member_id is None:
        return None
    mine = lookup.contacts_of(session, g.member_id)
    named = (row for row in mine if row.public_id == public_id and row.confirmed_at is None)
    return next(named, None) or (codes.waiting(session, g.member_id) if otherwise else None)


def _shown(contact: Contact) -> dict[str, Any]:
    masked = mask_contact(contact.kind, contact.value)
    return {"id": contact.public_id, "contact": masked, "kind": contact.kind}


def _confirm_page(*, status: int = 200, **values: Any) -> Response:
    empty = {"me": None, "contact": None, "kind": "email", "token": None, "error": "", "sent": False, "id": None}
    return web.page("member/confirm.html", status, **{**empty, "over": False, "waits": False, **values})


@blueprint.post("/confirm")
def do_confirm() -> Response | BaseResponse:
    """Confirm a contact by the typed code, or by the button behind the link."""
    token = request.form.get("token", "")[:200]
    try:
        if token:
            web.limit(f"link:{web.client_address()}", most=30, window=timedelta(minutes=10))
            confirmed, contact = _follow(token)
        else:
            confirmed, contact = _prove()
    except (sign_in.CodeWrong, codes.CodeUnusable, sign_in.ConfirmWhereAsked) as error:
        web.end_unit(keep=False)
        if error.extra.get("left") == 0:
            return _confirm_again(_wait(codes.LIFETIME), error.status, waits=True)
        if token:
            over = isinstance(error, codes.CodeUnusable)
            return _confirm_page(status=error.status, token=token, error=_over() if over else error.message, over=over)
        return _confirm_again(error.message, error.status)
    except TooMany as error:
        if token:
            raise
        return _later(_confirm_again(_wait(timedelta(seconds=error.retry_after)), error.status, waits=True), error)
    return _enter(confirmed, contact)


def _confirm_again(error: str, status: int, *, waits: bool = False) -> Response:
    if request.form.get("next") == "card" and g.member_id is not None:
        return card.show(error, status, waits=waits)
    waiting = _waiting(web.session(), request.form.get("contact", ""))
    return _confirm_page(status=status, error=error, waits=waits, **(_shown(waiting) if waiting else {}))


@blueprint.post("/confirm/again")
def confirm_again() -> BaseResponse:
    """Send a new code for the contact that waits."""
    with web.database().reading(g.brand_id) as session:
        waiting = _waiting(session, request.form.get("contact", ""))
    if waiting is None:
        return redirect(f"/{g.brand.slug}/", 303)
    sign_in.count_ask(web.database(), g.brand_id, contact=waiting.value, address=web.client_address())
    browser = browser_token()
    session = web.session()
    members.ask_again(session, session.get_one(Member, g.member_id), browser=browser, contact=waiting)
    return keep_browser(redirect(f"/{g.brand.slug}/confirm?sent=1", 303), browser)


def _follow(token: str) -> tuple[sign_in.Confirmed, ContactValue]:
    """Press the button of a link; return what it proved, and of which contact."""
    session = web.session()
    row = codes.by_link(session, token)
    if row is None:
        raise codes.CodeUnusable
    contact = codes.contact_in(session, row)
    return sign_in.confirm_link(session, token, browser=browser_token()), contact


def _prove() -> tuple[sign_in.Confirmed, ContactValue]:
    """Count the try in a transaction of its own, then compare: the digits of the contact that the form names."""
    browser, named = browser_token(), request.form.get("contact", "")
    with web.database().reading(g.brand_id) as session:
        contact_hash = None
        if named and g.member_id is not None:
            waiting = _waiting(session, named, otherwise=False)
            if waiting is None:
                raise codes.CodeUnusable  # confirmed meanwhile, or taken out of the profile
            contact_hash = contacts.fingerprint(session, ContactValue(waiting.kind, waiting.value))
        row = codes.newest(session, browser=browser, contact_hash=contact_hash)
        contact = codes.contact_in(session, row) if row else None
    if row is None or contact is None:
        raise codes.CodeUnusable
    attempt = codes.count_try(web.database(), g.brand_id, row.public_id)
    typed = request.form.get("code", "")[:20]
    return sign_in.confirm(web.session(), attempt, digits=typed, browser=browser), contact


def _enter(confirmed: sign_in.Confirmed, contact: ContactValue) -> BaseResponse:
    """Merge where the contact was another member's, take in the cards that a till made for it, let this browser in."""
    member = _merged(confirmed)
    session = web.session()
    for at_till in codes.till_made(session, contact, but=member.id):
        member = merge.absorb(session, at_till, into=member)
    response = redirect(f"/{g.brand.slug}/", 303)
    devices.log_in(response, member.id)
    return response


def _merged(confirmed: sign_in.Confirmed) -> Member:
    """Return whose contact it is now; a newcomer's first confirmed contact brings the welcome gift."""
    session = web.session()
    member = session.get_one(Member, confirmed.member_id)
    if confirmed.merged_from is not None:
        newcomer = session.get_one(Member, confirmed.merged_from)
        member = merge.absorb(session, newcomer, into=member)
        subscriptions.move(session, member_id=newcomer.id, into_id=member.id)
    elif confirmed.purpose == "confirm":
        for contact in lookup.contacts_of(session, member.id):
            if contact.confirmed_at is not None:
                welcome.welcome(session, member, contact=contact.value)
                break
    return member
