"""The console's door: staff of the brand log in with email and password; every page works for their brand only."""

from datetime import timedelta
from typing import cast
from urllib.parse import quote, unquote

from flask import Response, g, redirect, request
from flask.typing import ResponseReturnValue

from app.core import i18n, sessions, web
from app.core.errors import Forbidden, TooMany
from app.core.i18n import gettext as _
from app.doors import identity
from app.network import service as network
from app.network import staff
from app.network.models import BRAND_ROLES, Staff

TRIES_OF_EMAIL, TRIES_OF_ADDRESS = 10, 30
WINDOW = timedelta(minutes=15)
OPEN = ("brand.login", "brand.log_in")

blueprint = web.door("brand", __name__, url_prefix="/brand")


class NotYourConsole(Forbidden):
    """A reseller's person asks for the brand's pages."""

    code = "not_your_console"


@blueprint.before_request
def _staff() -> ResponseReturnValue | None:
    """Prove who asks; somebody who has left or works for a reseller by now is not let in."""
    who = identity.enter("brand")
    i18n.set_language(_wish(i18n.LANGUAGES, "en"))
    if who is not None and _let_in(who):
        return None
    if request.endpoint in OPEN:
        return None
    wish = request.full_path.rstrip("?") if request.method == "GET" else ""
    return redirect("/brand/login" + (f"?next={quote(wish)}" if _is_ours(wish) and wish != "/brand" else ""), 303)


def _let_in(who: identity.Who) -> bool:
    with web.database().reading(who.brand_id) as reading:
        try:
            person = staff.staff_by_id(reading, who.subject_id)
        except staff.StaffUnknown:
            return False
        brand = network.brand_by_id(reading, who.brand_id)
    if person.role not in BRAND_ROLES:
        return False
    g.staff, g.brand = person, brand
    i18n.set_language(_wish(tuple(brand.languages), brand.default_language))
    return True


def _wish(allowed: tuple[str, ...], default: str) -> str:
    return i18n.negotiate(request.headers.get("Accept-Language", ""), allowed, default)


def page(template: str, http_status: int = 200, *, here: str, **values: object) -> Response:
    """Render a page of the console; `here` is its place in the menu."""
    me = {"name": g.staff.name, "role": role_names()[g.staff.role]}
    return web.page(f"brand/{template}.html", http_status, staff=me, here=here, **values)


def role_names() -> dict[str, str]:
    """Return each role of the brand's and of resellers' people, for people."""
    return {
        "brand_admin": _("Administrator"), "marketing": _("Marketing"), "finance": _("Finance"), "sales": _("Sales"),
        "reseller_manager": _("Manager"), "cashier": _("Cashier"),
    }  # fmt: skip


def _is_ours(path: str) -> bool:
    """Tell whether a path leads to a page of this console, and nowhere else."""
    place = unquote(path.partition("?")[0].partition("#")[0])  # a browser reads `%2e%2e` as `..` too
    plain = path.isascii() and path.isprintable() and "\\" not in path and "\\" not in place
    inside = place == "/brand" or place.startswith("/brand/")
    return plain and inside and "//" not in place and ".." not in place.split("/") and len(path) <= 300


@blueprint.get("/login")
def login() -> Response:
    """Ask for email and password; who is logged in goes on."""
    wish = request.args.get("next", "")
    return cast(Response, redirect("/brand", 303)) if "staff" in g else _login_page(wish=wish)


def _login_page(status: int = 200, *, error: str | None = None, wait: int = 0, wish: str = "") -> Response:
    email = request.form.get("email", "")[:200]
    values = {"email": email, "error": error, "wait_seconds": wait, "next": wish if _is_ours(wish) else ""}
    return web.page("brand/login.html", status, staff=None, here="", **values)


@blueprint.post("/login")
def log_in() -> Response:
    """Log in, for 12 hours; tries are counted by address and by email, and all wrong ones get the same answer."""
    wish = request.form.get("next", "")
    try:
        person = _check()
    except TooMany as error:
        return _login_page(429, wait=error.retry_after, wish=wish)
    except staff.LoginRefused as error:
        return _login_page(401, error=error.message, wish=wish)
    except NotYourConsole as error:
        return _login_page(403, error=error.message, wish=wish)
    _end_old_login(person)
    g.brand_id = person.brand_id
    response = cast(Response, redirect(wish if _is_ours(wish) else "/brand", 303))
    identity.log_in(response, "brand", person.id)
    return response


def _check() -> Staff:
    """Return who logs in. The password is checked outside a unit: its hash takes long, and nobody may wait for it."""
    email = request.form.get("email", "").strip().lower()[:200].replace("\0", "")
    web.limit(f"brand-login:from:{web.client_address()}", most=TRIES_OF_ADDRESS, window=WINDOW)
    web.limit(f"brand-login:to:{email}", most=TRIES_OF_EMAIL, window=WINDOW)
    with web.database().reading() as reading:
        person = staff.check_password(reading, email, request.form.get("password", ""))
    if person.role not in BRAND_ROLES:
        raise NotYourConsole(_("This console is the brand's own. Your account belongs to a reseller."))
    return person


def _end_old_login(person: Staff) -> None:
    """End this browser's log-in at another brand: a session of the new brand cannot reach it."""
    token = web.read_cookie(identity.cookie_name("brand"))
    if token is None or "staff" not in g or g.brand_id == person.brand_id:
        return
    with web.database().unit(g.brand_id) as unit:
        old = sessions.find(unit, token, door="brand")
        if old is not None:
            sessions.end(unit, old.id)


@blueprint.post("/logout")
def log_out() -> Response:
    """End this browser's log-in."""
    response = cast(Response, redirect("/brand/login", 303))
    identity.log_out(response, "brand")
    return response
