"""Where providers call back; each call is proved by the provider's own signature.

Source: wallet.md, "Google", callbacks.
"""

from typing import Any

from flask import Response, g, jsonify, request

from app.core import web
from app.doors import identity
from app.wallet import google_calls

blueprint = web.door("hooks", __name__, url_prefix="/hooks")


@blueprint.url_value_preprocessor
def _take_slug(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    g.slug = (values or {}).pop("slug", "")


@blueprint.before_request
def _provider() -> None:
    """Know the brand, and prove that Google wrote the body."""
    identity.enter("hooks", slug=g.slug)
    g.callback = google_calls.read(web.runtime(), g.brand_id, request.get_data())


@blueprint.post("/google/<slug>")
def google() -> Response:
    """Take one callback of Google Wallet: somebody saved or removed a card. A second time it changes nothing."""
    google_calls.take(web.session(), g.callback)
    return jsonify()
