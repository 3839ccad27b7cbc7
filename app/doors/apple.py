"""Apple's web service: phones register passes, ask what changed and fetch it. Their addresses are Apple's.

Source: wallet.md, "Apple's web service".
"""

import re
from collections import Counter
from datetime import timedelta
from typing import Any

from flask import Response, g, jsonify, request

from app.core import web
from app.core.log import log
from app.doors import identity
from app.wallet import channels, devices, serve
from app.wallet.models import WalletPass

blueprint = web.door("apple", __name__, url_prefix="/wallet/<slug>/v1")
OPEN = ("apple.changed", "apple.take_log")  # Apple sends no token with these: the phone's own id opens its list
MOST_LOGS = 20  # messages of one call that are looked at
LOGS_A_MINUTE = 30  # calls from one address
# Phones write free text, with ids in it. What it is about is counted; their words are kept nowhere.
ABOUT = {
    "authentication": re.compile(r"authenticat|unauthorized|\b401\b", re.IGNORECASE),
    "not_signed": re.compile(r"signature|signed|certificate|manifest", re.IGNORECASE),
    "not_reachable": re.compile(r"timed? ?out|could not connect|unreachable|offline|network", re.IGNORECASE),
    "bad_answer": re.compile(r"unexpected|response|status|invalid|http", re.IGNORECASE),
}


@blueprint.url_value_preprocessor
def _take_slug(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    g.slug = (values or {}).pop("slug", "")


@blueprint.before_request
def _phone() -> None:
    """Prove that the phone has the pass that it speaks of, by the pass's own token."""
    identity.enter("apple", slug=g.slug)
    if request.endpoint in OPEN:
        return
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    values = request.view_args or {}
    token = token.strip() if scheme.lower() == "applepass" else ""
    g.wallet_pass = devices.prove(web.session(), values.get("serial", ""), values.get("pass_type", ""), token)


def _pass() -> WalletPass:
    row: WalletPass = g.wallet_pass
    return row


REGISTRATION = "/devices/<device>/registrations/<pass_type>/<serial>"


@blueprint.post(REGISTRATION)
def register(device: str, pass_type: str, serial: str) -> tuple[Response, int]:
    """Keep that a phone has the pass; 201 when that is new, else 200."""
    body = request.get_json(silent=True)
    token = body.get("pushToken") if isinstance(body, dict) else None
    made = devices.register(web.session(), _pass(), device=device, push_token=token if isinstance(token, str) else "")
    return jsonify(), 201 if made else 200


@blueprint.delete(REGISTRATION)
def unregister(device: str, pass_type: str, serial: str) -> Response:
    """Forget that a phone has the pass."""
    devices.unregister(web.session(), _pass(), device=device)
    return jsonify()


@blueprint.get("/devices/<device>/registrations/<pass_type>")
def changed(device: str, pass_type: str) -> Response:
    """Name the phone's passes that changed since its tag; 204 when there are none."""
    found = devices.updates(
        web.session(), device=device, pass_type=pass_type, tag=request.args.get("passesUpdatedSince")
    )
    if found is None:
        return Response(status=204)
    return jsonify(serialNumbers=found.serials, lastUpdated=found.tag)


@blueprint.get("/passes/<pass_type>/<serial>")
def fetch(pass_type: str, serial: str) -> Response:
    """Return the newest pass, signed; 304 when the phone has it."""
    tags = frozenset(request.if_none_match.as_set(include_weak=True)) if request.if_none_match else frozenset()
    made = serve.update(web.session(), web.runtime(), _pass(), serve.Known(tags, request.if_modified_since))
    if made is None:
        return Response(status=304, headers={"Cache-Control": "no-store, no-transform"})
    return pass_response(made)


def pass_response(made: serve.PassFile) -> Response:
    """Return a pass as its own media type, never packed, with what a phone asks by the next time."""
    response = Response(made.body, mimetype=made.media_type)
    response.last_modified = made.last_modified
    response.set_etag(made.etag)
    response.headers["Cache-Control"] = "no-store, no-transform"  # a packed pass is no pass for a phone
    response.headers["Content-Disposition"] = f'attachment; filename="{made.filename}"'
    return response


@blueprint.post("/log")
def take_log() -> Response:
    """Count what phones complain about; their words are untrusted and are not kept."""
    web.limit(f"wallet-log:{web.client_address()}", most=LOGS_A_MINUTE, window=timedelta(minutes=1))
    body = request.get_json(silent=True)
    logs = body.get("logs") if isinstance(body, dict) else None
    texts = [text for text in logs[:MOST_LOGS] if isinstance(text, str)] if isinstance(logs, list) else []
    for code, n in sorted(Counter(_about(text[:1000]) for text in texts).items()):
        channels.count_fault(web.session(), f"phone_{code}", n)
        log.warning("wallet phone complains", about=code)
    return jsonify()


def _about(text: str) -> str:
    return next((code for code, words in ABOUT.items() if words.search(text)), "other")
