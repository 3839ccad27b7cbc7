"""`/dev/outbox`: what the demo's mail, SMS and push services received, for people and for tests. Demo only."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request, url_for

from app.core.i18n import gettext, language, ngettext
from app.core.web import csp_nonce
from app.fakes.phone import SimulatedPhone
from app.fakes.store import Arrival, Kind, OutboxStore

_KINDS: tuple[Kind, ...] = ("email", "sms", "push", "wallet")
_LINK = re.compile(r"https?://[^\s<>\"']+")
_CODE = re.compile(r"(?<![\w#])#?(\d{6})(?!\w)")
_TRAILING = ".,;:!?)"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of a message's text: plain, a code to type, or a link of the service itself."""

    text: str
    href: str = ""
    code: bool = False


def pieces(text: str, base_url: str) -> list[Piece]:
    """Cut a text into plain runs, codes and links; only links under `base_url` may be followed."""
    found: list[Piece] = []
    at = 0
    for match in _LINK.finditer(text):
        link = match.group().rstrip(_TRAILING)
        if link != base_url and not link.startswith(f"{base_url}/"):
            continue
        found += _codes(text[at : match.start()])
        found.append(Piece(link, href=link))
        at = match.start() + len(link)
    return found + _codes(text[at:])


def outbox_blueprint(
    store: OutboxStore,
    *,
    base_url: str,
    stylesheet: str,
    new_phone: Callable[[], SimulatedPhone] | None = None,
) -> Blueprint:
    """Return the pages.

    Args:
        base_url: the service's own; links elsewhere are shown, not followed.
        stylesheet: address of the design tokens.
        new_phone: subscribes a simulated phone, for a browser that cannot reach its push service;
            `POST /dev/phones` then answers with its subscription.
    """
    pages = Blueprint("outbox", __name__, template_folder="templates", static_folder="static", url_prefix="/dev")

    @pages.get("/outbox")
    def outbox() -> str:
        """Show the messages, newest first; a script loads the page again when there is another."""
        kind = _kind()
        messages = store.newest(kind, limit=60)
        return render_template(
            "outbox.html",
            messages=[(message, pieces(message.text, base_url)) for message in messages],
            kinds=_KINDS,
            kind=kind,
            base_url=base_url,
            language=language(),
            stylesheet=stylesheet,
            own_stylesheet=url_for("outbox.static", filename="outbox.css"),
            own_script=url_for("outbox.static", filename="outbox.js"),
            nonce=csp_nonce(),
            _=gettext,
            ngettext=ngettext,
        )

    @pages.get("/outbox.json")
    def outbox_json() -> Response:
        """Return the messages as JSON, newest first; `?kind=` and `?to=` narrow them down."""
        found = store.newest(_kind(), to=request.args.get("to"))
        return jsonify(messages=[_document(message) for message in found])

    if new_phone is not None:

        @pages.post("/phones")
        def phones() -> tuple[Response, int]:
            """Subscribe a simulated phone and return its push subscription."""
            return jsonify(new_phone().subscription()), 201

    return pages


def _kind() -> Kind | None:
    asked = request.args.get("kind")
    return next((kind for kind in _KINDS if kind == asked), None)


def _document(message: Arrival) -> dict[str, Any]:
    return {
        "number": message.number,
        "at": message.at.isoformat(),
        "kind": message.kind,
        "to": message.to,
        "title": message.title,
        "text": message.text,
        "html": message.html,
        "facts": dict(message.facts),
    }


def _codes(text: str) -> list[Piece]:
    found: list[Piece] = []
    at = 0
    for match in _CODE.finditer(text):
        found += [Piece(text[at : match.start(1)]), Piece(match[1], code=True)]
        at = match.end(1)
    return [piece for piece in [*found, Piece(text[at:])] if piece.text]
