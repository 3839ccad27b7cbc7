"""The till's door: log in with the till key, out again, and the little things that every page of it asks for."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import cast

from flask import Response, g, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as BaseResponse

from app.core import i18n, sessions, web
from app.core.errors import LeimaError, NotFound, TooMany, Unavailable
from app.core.i18n import gettext as _
from app.doors import identity
from app.doors.brand_css import brand_css
from app.ledger.service import PurchaseUnknown
from app.members.scans import ScanUnknown
from app.network import service as network
from app.network import tills
from app.network.models import Till

WRONG_KEYS = 10  # from an address in a minute, then it waits
WINDOW = timedelta(minutes=1)
OPEN = ("till.login", "till.log_in")
BY_SCRIPT = ("till.ping", "till.quote", "till.asked")
ID = re.compile(r"[0-9A-Z]{26}")


class NoSuchPage(NotFound):
    """The address or form names nothing of this till."""


STRANGERS = (NoSuchPage, ScanUnknown, PurchaseUnknown, Unavailable)  # another till's page is no page here

blueprint = web.door("till", __name__, url_prefix="/till")


@blueprint.before_request
def _till() -> ResponseReturnValue | None:
    """Prove the till by its cookie; every page works for its brand and its outlet only."""
    who = identity.enter("till")
    i18n.set_language(_wish(i18n.LANGUAGES, "en"))
    if who is not None:
        with web.database().reading(who.brand_id) as reading:
            g.place = tills.till_place(reading, who.subject_id)
            g.brand = network.brand_by_id(reading, who.brand_id)
        g.till_id = who.subject_id
        i18n.set_language(_wish(tuple(g.brand.languages), g.brand.default_language))
        return None
    if request.endpoint in OPEN:
        return None
    if request.endpoint in BY_SCRIPT:
        return web.problem(401, "unauthorized", _("This till is logged out."))
    return redirect("/till/login", 303)


def _wish(allowed: tuple[str, ...], default: str) -> str:
    return i18n.negotiate(request.headers.get("Accept-Language", ""), allowed, default)


def till() -> Till:
    """Return the asking till, read within this request's unit.

    Raises:
        tills.TillKeyUnknown: it was revoked a moment ago.
    """
    return tills.till_place(web.session(), g.till_id).till


def page(template: str, http_status: int = 200, **values: object) -> Response:
    """Render a page of this till."""
    place = {"outlet": g.place.outlet.name, "name": g.place.till.name}
    return web.page(f"till/{template}.html", http_status, till=place, **values)


def public_id(text: str) -> str:
    """Return an id of an address or a form.

    Raises:
        NoSuchPage: no id looks like this.
    """
    if not ID.fullmatch(text):
        raise NoSuchPage(_("There is nothing here."))
    return text


def attempt(do: Callable[[], Response], otherwise: Callable[[LeimaError], Response]) -> Response:
    """Do what a form asks for; when it is refused, leave nothing of it and say why on the page."""
    try:
        return do()
    except STRANGERS:
        raise
    except LeimaError as error:
        web.end_unit(keep=False)
        return otherwise(error)


def go(path: str) -> Response:
    """Lead on after a form."""
    return cast(Response, redirect(path, 303))


@blueprint.get("/login")
def login() -> Response | BaseResponse:
    """Ask for the till key; a till that is logged in goes on."""
    return go("/till") if "place" in g else _login_page()


def _login_page(status: int = 200, *, error: str | None = None, wait: int = 0) -> Response:
    return web.page("till/login.html", status, till=None, error=error, wait_seconds=wait)


@blueprint.post("/login")
def log_in() -> Response | BaseResponse:
    """Log the browser in as a till, for 30 days; wrong keys are counted by address."""
    key = f"till-login:{web.client_address()}"
    try:
        with web.database().reading() as reading:
            found = tills.till_by_key(reading, request.form.get("key", "").strip())
    except tills.TillKeyUnknown as error:
        return _count_wrong(key, error)
    _end_old_login(found.brand_id)
    g.brand_id = found.brand_id
    response = go("/till")
    identity.log_in(response, "till", found.id)
    return response


def _count_wrong(key: str, error: LeimaError) -> Response:
    try:
        web.limit(key, most=WRONG_KEYS, window=WINDOW)
    except TooMany as too_many:
        return _login_page(429, wait=too_many.retry_after)
    return _login_page(401, error=error.message)


def _end_old_login(brand_id: int) -> None:
    """End this browser's log-in at another brand: a session of the new brand cannot reach it."""
    token = web.read_cookie(identity.cookie_name("till"))
    if token is None or "place" not in g or g.brand_id == brand_id:
        return
    with web.database().unit(g.brand_id) as unit:
        old = sessions.find(unit, token, door="till")
        if old is not None:
            sessions.end(unit, old.id)


@blueprint.post("/logout")
def log_out() -> Response:
    """End this browser's log-in."""
    response = go("/till/login")
    identity.log_out(response, "till")
    return response


@blueprint.get("/ping")
def ping() -> Response:
    """Tell the page's scripts that the server answers and the till is logged in."""
    return Response(status=204)


@blueprint.get("/brand.css")
def css() -> Response:
    """Return the colors of the till's brand; asked for anew each time, since the address is every brand's."""
    response = Response(brand_css(g.brand), mimetype="text/css")
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    return cast(Response, response.make_conditional(request))
