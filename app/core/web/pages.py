"""Pages for people and problems for machines: templates' globals, assets under the tree's hash, error answers."""

import gzip
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from apiflask import APIBlueprint, HTTPError
from flask import Flask, Response, abort, g, render_template, request, send_from_directory
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException

from app.core import i18n
from app.core.db import DatabaseDown
from app.core.errors import LeimaError
from app.core.i18n import gettext as _
from app.core.log import log
from app.core.web.app import end_unit, runtime
from app.core.web.guard import MACHINES, csp_nonce

PWA = Path(__file__).parents[3] / "pwa"
TYPES = {
    ".css": "text/css",
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
PACKED = frozenset(TYPES) - {".woff2"}
CODES = {
    400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
    406: "not_acceptable", 408: "request_timeout", 411: "length_required", 413: "body_too_large", 414: "uri_too_long",
    415: "unsupported_media_type", 422: "invalid", 429: "too_many_tries", 500: "internal_error", 503: "unavailable",
}  # fmt: skip


@cache
def tree_hash() -> str:
    """Return the hash of all that is served from `pwa/`: a changed file changes every address."""
    digest = hashlib.sha256()
    for path in sorted(PWA.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(PWA)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def asset(path: str) -> str:
    """Return the address of a file of `pwa/`, good for ever."""
    return f"/assets/{tree_hash()}/{path}"


def door(name: str, module: str, *, url_prefix: str | None = None) -> APIBlueprint:
    """Return the blueprint of an audience's pages; only the till API is in the OpenAPI document."""
    return APIBlueprint(name, module, url_prefix=url_prefix, enable_openapi=False)


def install(app: Flask) -> None:
    """Set up templates, assets and error answers."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(_plain, _plural, newstyle=True)  # type: ignore[attr-defined]  # of the i18n extension
    app.jinja_env.globals.update(
        asset=asset,
        csp_nonce=csp_nonce,
        format_cents=i18n.format_cents,
        format_date=i18n.format_date,
        format_datetime=i18n.format_datetime,
    )
    app.context_processor(lambda: {"lang": i18n.language(), "brand": g.get("brand"), "url": url})
    app.add_url_rule("/assets/<tree>/<path:path>", "assets", _assets)
    app.register_error_handler(LeimaError, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(HTTPError, _http)
    app.register_error_handler(Exception, _crashed)


def _plain(message: str) -> str:
    return i18n.catalog(i18n.language()).get(message, (message,))[0]


def _plural(one: str, many: str, n: int) -> str:
    forms = i18n.catalog(i18n.language()).get(one) or (one, many)
    return forms[0] if n == 1 else forms[-1]


def url(path: str = "") -> str:
    """Return an address under the brand of this request."""
    brand = g.get("brand")
    return f"/{brand.slug}/{path}" if brand else f"/{path}"


def _assets(tree: str, path: str) -> Response:
    if tree != tree_hash() or path not in _files():
        abort(404)
    kind = TYPES.get(Path(path).suffix)
    if Path(path).suffix in PACKED and request.accept_encodings.quality("gzip") > 0:
        response = Response(_packed(path), mimetype=kind)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = send_from_directory(PWA, path, mimetype=kind, max_age=31_536_000)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Vary"] = "Accept-Encoding"
    return response


@cache
def _files() -> frozenset[str]:
    """Return what there is, so that no other spelling of a path is served or remembered."""
    return frozenset(path.relative_to(PWA).as_posix() for path in PWA.rglob("*") if path.is_file())


@cache
def _packed(path: str) -> bytes:
    return gzip.compress((PWA / path).read_bytes(), 9, mtime=0)


def page(template: str, http_status: int = 200, **values: Any) -> Response:
    """Render a page for people; personal, so nothing keeps it."""
    response = Response(render_template(template, **values), status=http_status, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    return response


def wants_problem() -> bool:
    """Tell whether a machine asked: one of the machines' doors, or a script of ours that sends or accepts JSON."""
    if request.path.startswith(MACHINES) or request.is_json or request.path.endswith(".json"):
        return True
    return request.accept_mimetypes.best == "application/json"


def problem_of(status: int, code: str, message: str, **extra: Any) -> dict[str, Any]:
    """Return the body of a refusal (RFC 9457) with a stable `code`."""
    named = {"type": "about:blank", "title": message, "status": status, "code": code}
    return {**named, "request_id": g.get("request_id", ""), **extra}


def problem(status: int, code: str, message: str, **extra: Any) -> Response:
    """Return problem+json (RFC 9457)."""
    body = problem_of(status, code, message, **extra)
    return Response(json.dumps(body, ensure_ascii=False), status=status, mimetype="application/problem+json")


def _answer(status: int, code: str, message: str, **extra: Any) -> Response:
    if wants_problem():
        return problem(status, code, message, **extra)
    values = {
        "status": status,
        "code": code,
        "title": _title(status),
        "detail": message,
        "request_id": g.get("request_id", ""),
    }
    brand = g.get("brand")
    return page("error.html", status, home=f"/{brand.slug}/" if brand else None, **values)


def _title(status: int) -> str:
    if status in (404, 405):
        return _("There is nothing here")
    if status == 429:
        return _("One moment, please")
    if status == 403:
        return _("This is not yours to open")
    return _("That did not work") if status < 500 else _("We are having a hiccup")


def _refused(error: LeimaError) -> Response:
    if isinstance(error, DatabaseDown):
        log.error("database down", code=error.code)
    response = _answer(error.status, error.code, error.message, **error.extra)
    if "retry_after" in error.extra:
        response.headers["Retry-After"] = str(error.extra["retry_after"])
    if error.status == 401 and request.path.startswith("/api/"):
        response.headers["WWW-Authenticate"] = 'Bearer realm="leima till"'
    return response


def _http(error: Any) -> Response:
    if isinstance(error, HTTPException) and error.code is not None and error.code < 400:
        return error.get_response()  # type: ignore[return-value]  # werkzeug's class
    status = int(getattr(error, "status_code", None) or getattr(error, "code", None) or 500)
    extra = {"errors": error.detail} if isinstance(error, HTTPError) and error.detail else {}
    response = _answer(status, CODES.get(status, "error"), _sentence(status), **extra)
    allow = getattr(error, "valid_methods", None)
    if allow:
        response.headers["Allow"] = ", ".join(allow)
    return response


def _sentence(status: int) -> str:
    sentences = {
        400: _("The request could not be read."),
        404: _("The address may be old, or mistyped."),
        405: _("This address does not do that."),
        413: _("What was sent is too large."),
        415: _("What was sent has a form that is not understood here."),
        422: _("Some of what was sent is not as it should be."),
    }
    return sentences.get(status, _("Please try again in a moment."))


def _crashed(error: Exception) -> Response:
    end_unit(keep=False)
    log.error("crash", error=type(error).__name__, exc_info=error)
    if runtime().settings.log_level == "DEBUG":
        raise error
    return _answer(500, "internal_error", _("Something of ours broke. Nothing was saved; please try again."))
