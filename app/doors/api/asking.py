"""Views of the till API about a scan that may not redeem: ask the member's app, and hear what it said."""

from typing import Any

from app.core import web
from app.doors.api import schemas as api
from app.doors.api.views import blueprint, scan_out, till
from app.doors.idempotency import idempotent
from app.members import allowing, scans


@blueprint.post("/scans/<scan>/confirmations")
@idempotent
@blueprint.input(api.ConfirmationIn)
@blueprint.output(api.ConfirmationOut, status_code=201)
def ask(scan: str, json_data: api.ConfirmationIn) -> dict[str, Any]:
    """Ask the member's app to let this scan redeem; asked twice, the same question stands."""
    session = web.session()
    found = scans.get(session, scan, till=till())
    asked = allowing.ask(session, found)
    return {
        "scan": found.public_id, "confirmation": asked.state, "asked_at": asked.at, "expires_at": asked.ends_at,
    }  # fmt: skip


@blueprint.get("/scans/<scan>")
@blueprint.output(api.ScanOut)
def state(scan: str) -> dict[str, Any]:
    """Tell a scan as it is now: whether it may redeem, and what the member's app has said."""
    return scan_out(scans.get(web.session(), scan, till=till()))
