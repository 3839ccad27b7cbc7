"""The way in, for everybody: joining, signing in on another device, confirming a contact."""

from datetime import timedelta
from typing import Any, TypeVar

from flask import Response, g, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from app.cards import views, welcome
from app.core import i18n, web
from app.core.crypto import new_token
from app.core.errors import LeimaError
from app.doors import identity
from app.doors.member import devices, language, shape
from app.members import codes, forms, sign_in, wordings
from app.members import service as members
from app.network.models import Brand

BROWSER_LASTS = timedelta(days=30)
JOINS = 60  # joins from one address in 10 minutes: a fair's stand passes, a robot does not
SUBMITS = 200  # of the form from there in that time, those with a slip too
R = TypeVar("R", bound=BaseResponse)

blueprint = web.door("entry", __name__, url_prefix="/<slug>")


@blueprint.url_value_preprocessor
def _take_slug(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    g.slug = (values or {}).pop("slug", "")


@blueprint.before_request
def _visitor() -> None:
    """Know the brand, and the member if this browser has a card; nobody is turned away here."""
    who = identity.enter("member", slug=g.slug)
    g.login_id = who.login_id if who else None
    g.member_id = language.speak(who.subject_id if who else None)


def browser_token() -> str:
    """Return the token that binds a code to this browser, a new one where it has none."""
    return web.read_cookie("leima-browser") or new_token()


def keep_browser(response: R, token: str) -> R:
    """Hand the browser its token."""
    web.set_cookie(response, "leima-browser", token, lasts=BROWSER_LASTS)
    return response


@blueprint.get("/join")
def join() -> Response | BaseResponse:
    """Show how to join; who has a card here already is shown it."""
    if g.member_id is not None:
        return redirect(f"/{g.brand.slug}/", 303)
    source = request.args.get("source", "web")[:40]
    page = _join_page({"contact": "", "first_name": "", "age": False, "contact_2": ""}, source=source)
    return keep_browser(page, browser_token())  # here already, so that a form sent twice comes from one browser


@blueprint.post("/join")
def do_join() -> Response | BaseResponse:
    """Join: the card appears at once, the contact is confirmed later. The same for known and unknown contacts."""
    web.limit(f"join:{web.client_address()}", most=SUBMITS, window=timedelta(minutes=10))
    browser = browser_token()
    form = _form(browser)
    try:
        with web.database().reading(g.brand_id) as session:
            contact = forms.check(session, form).contacts[0]
    except (*forms.FAULTS, forms.SeveralFaults) as error:
        return _join_again(error)
    sign_in.count_ask(
        web.database(), g.brand_id, contact=contact.value, address=f"join:{web.client_address()}", most=JOINS
    )
    session = web.session()
    member = codes.joined_here(session, contact, browser=browser) or members.join(session, form).member
    response = redirect(f"/{g.brand.slug}/", 303)
    devices.log_in(response, member.id)
    return keep_browser(response, browser)


def _form(browser: str) -> forms.JoinForm:
    posted = request.form
    source, _colon, outlet = posted.get("source", "web").partition(":")
    kinds = ("terms", "privacy")
    given = {kind: posted[kind] for kind in kinds if posted.get(kind)}
    given |= {
        channel: posted[f"wording_{channel}"]
        for channel in ("email", "sms", "push")
        if posted.get(f"wording_{channel}")
    }
    return forms.JoinForm(
        contact=posted.get("contact", ""),
        contact_2=posted.get("contact_2") or None,
        first_name=posted.get("first_name") or None,
        age=posted.get("age") == "1",
        language=i18n.language(),
        source="web" if source == "till" else source,  # only a till says so
        outlet_slug=outlet or None,
        consents=frozenset(channel for channel in ("email", "sms", "push") if posted.get(f"consent_{channel}") == "1"),
        wordings=given,
        browser=browser,
    )


def _join_again(error: LeimaError) -> Response:
    web.end_unit(keep=False)  # the page only reads: nobody waits for it to be drawn
    errors = forms.fields(error)
    asks_more = "contact_2" in errors or bool(request.form.get("contact_2"))
    second = ("phone" if "@" in request.form.get("contact", "") else "email") if asks_more else None
    form = {
        "contact": request.form.get("contact", "")[:254],
        "first_name": request.form.get("first_name", "")[:60],
        "age": request.form.get("age") == "1",
        "contact_2": request.form.get("contact_2", "")[:254],
    }
    return _join_page(form, source=request.form.get("source", "web")[:40], second=second, errors=errors, status=422)


def _join_page(
    form: dict[str, Any],
    *,
    source: str,
    second: str | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    session = web.session()
    offered = [shape.card(card) for card in views.cards(session, 0)]
    brand = session.get_one(Brand, g.brand_id)
    texts = {kind: wordings.current(session, kind, i18n.language()) for kind in ("terms", "privacy")}
    ticked = {channel for channel in ("email", "sms", "push") if request.form.get(f"consent_{channel}") == "1"}
    return web.page(
        "join/join.html",
        status,
        card=offered[0] if offered else None,
        also=[card for card in offered[1:] if card["face"].goal],
        gift=welcome.promised(session),
        lowest_age=brand.lowest_age,
        source=source,
        languages=language.choices(),
        wordings=[
            {"channel": channel, "id": row.public_id, "text": row.text, "checked": channel in ticked}
            for channel, row in wordings.offered(session, i18n.language()).items()
        ],
        form=form,
        second=second,
        errors=errors or {},
        **{
            kind: {"id": row.public_id if row else "", "version": row.version if row else 0}
            for kind, row in texts.items()
        },
    )
