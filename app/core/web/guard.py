"""What every request passes: an id, a size limit, the cross-site check; and what every answer carries."""

import secrets
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from app.core import i18n
from app.core.errors import Forbidden
from app.core.i18n import gettext as _
from app.core.log import log
from app.core.web.app import MAX_BODY, READS, end_unit, runtime

View = TypeVar("View", bound=Callable[..., Any])


class CrossSite(Forbidden):
    """Another site tried to act in somebody's name."""

    code = "cross_site"


def install(app: Flask) -> None:
    """Put the guards before and after every request."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY
    app.before_request(_begin)
    app.before_request(_refuse_large)
    app.before_request(_refuse_strange)
    app.before_request(_refuse_cross_site)
    app.after_request(_headers)
    app.after_request(_log)
    app.teardown_request(lambda _error: end_unit(keep=False))  # a unit that a guard opened and no view ended


def csp_nonce() -> str:
    """Return the nonce of this answer's scripts."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    nonce: str = g.nonce
    return nonce


def client_address() -> str:
    """Return who asks, for limits; X-Forwarded-For counts from the configured proxies only, read from the right.

    An IPv6 address stands for its /64: that is what one household or one attacker has.
    """
    address = request.remote_addr or "unknown"
    trusted = [ip_network(proxy, strict=False) for proxy in runtime().settings.trusted_proxies]
    chain = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    while chain and _within(address, trusted):
        address = chain.pop()
    return _household(address)


def _household(address: str) -> str:
    try:
        known = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(known, IPv6Address):
        return str(known.ipv4_mapped or ip_network(f"{known}/64", strict=False))
    return str(known)


def _within(address: str, networks: list[IPv4Network | IPv6Network]) -> bool:
    try:
        return any(ip_address(address) in network for network in networks)
    except ValueError:
        return False


def _begin() -> None:
    g.request_id = secrets.token_hex(8)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    # The thread may still speak the language of its last request; a door that knows who asks says better.
    i18n.set_language(i18n.negotiate(request.headers.get("Accept-Language", ""), i18n.LANGUAGES, "en"))


def _refuse_strange() -> None:
    """Refuse NUL, which PostgreSQL stores nowhere, and in the demo a Host that a stranger's name was bent to."""
    if "\0" in request.path or b"%00" in request.query_string:
        raise BadRequest
    if any("\0" in value for value in request.form.values()):
        raise BadRequest
    settings = runtime().settings
    name = request.host.rpartition(":")[0] if ":" in request.host.rpartition("]")[2] else request.host
    if settings.demo and name not in (urlsplit(settings.base_url).hostname, "localhost", "127.0.0.1", "[::1]"):
        raise BadRequest


def takes(most: int) -> Callable[[View], View]:
    """Let a view take a body of up to `most` bytes, such as an upload; all others take 64 kB."""

    def mark(view: View) -> View:
        view.max_body = most  # type: ignore[attr-defined]  # a function carries what is said of it
        return view

    return mark


def _refuse_large() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    request.max_content_length = getattr(view, "max_body", MAX_BODY)
    if (request.content_length or 0) > request.max_content_length:
        raise RequestEntityTooLarge


def _refuse_cross_site() -> None:
    """Refuse an unsafe call that does not come from our own pages; only a machine, which is no browser, may not say.

    Both headers are looked at: Origin may be missing on old browsers, Sec-Fetch-Site cannot be forged by a page.
    """
    if request.method in READS:
        return
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site")
    if site not in (None, "same-origin", "none") or (origin is not None and origin not in origins()):
        raise CrossSite(_("This page was opened from another site. Please go back and try again."))
    if site is None and origin is None and not _is_machine():
        raise CrossSite(_("Your browser did not say where this came from. Please try again from our own page."))


MACHINES = ("/api/", "/wallet/", "/hooks/")  # tills by bearer key, phones' wallets by token, providers by signature


def _is_machine() -> bool:
    """Tell whether the call proves itself by what no browser adds on its own."""
    return request.path.startswith(MACHINES)


def origins() -> frozenset[str]:
    """Return the origins of our own pages: the base URL, on loopback under each of its names."""
    base = runtime().settings.base_url
    parts = urlsplit(base)
    if parts.scheme == "https" or not parts.port:
        return frozenset({base})
    return frozenset({base, f"http://127.0.0.1:{parts.port}", f"http://localhost:{parts.port}"})


POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types leima"
)


def _headers(response: Response) -> Response:
    headers = response.headers
    if "Content-Security-Policy" not in headers:
        is_page = response.mimetype == "text/html"
        headers["Content-Security-Policy"] = (
            POLICY.format(nonce=csp_nonce()) if is_page else "default-src 'none'; frame-ancestors 'none'"
        )
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(self), geolocation=(), microphone=(), payment=()")
    if runtime().settings.secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    headers.setdefault("Cache-Control", "no-store")
    headers["X-Request-Id"] = g.get("request_id", "")
    return response


def _log(response: Response) -> Response:
    """Write one line: the rule, never the path, since a path may hold a code."""
    rule = request.url_rule.rule if request.url_rule else "-"
    if not rule.startswith("/assets/"):
        log.info("request", method=request.method, rule=rule, status=response.status_code)
    return response
