"""A scan that may not redeem: ask in the member's app, and hear what it said."""

from flask import Response, jsonify, request

from app.core import web
from app.core.errors import LeimaError
from app.doors.till import pages, paying, shape
from app.doors.till.door import attempt, blueprint, go, public_id, till
from app.members import allowing, scans


@blueprint.post("/ask")
def ask() -> Response:
    """Ask; asked twice, the same question stands."""
    return attempt(_ask, _refused)


def _ask() -> Response:
    session = web.session()
    found = scans.get(session, public_id(request.form.get("scan", "")), till=till())
    allowing.ask(session, found)
    return go(f"/till/scan/{found.public_id}?{paying.kept(request.form)}".rstrip("?"))


def _refused(error: LeimaError) -> Response:
    if isinstance(error, scans.ScanExpired):
        return pages.refuse(error)
    given = request.form
    return pages.scan(given.get("scan", ""), pages.status_of(error), given=given, problem=shape.why(error))


@blueprint.get("/scan/<scan_id>/asked")
def asked(scan_id: str) -> Response:
    """Tell the page's script what became of the question."""
    session = web.session()
    try:
        found = allowing.of_scan(session, scans.get(session, public_id(scan_id), till=till()))
    except LeimaError as error:
        return web.problem(error.status, error.code, error.message)
    return jsonify(state=found.state if found else "")
