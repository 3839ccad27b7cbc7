"""For whoever runs it: is it alive, is it ready."""

from flask import Response, jsonify
from sqlalchemy import text

from app.core import clock, migrations
from app.core.errors import LeimaError
from app.core.web import database, door
from app.doors import identity

PROBE = text(
    "INSERT INTO counter (key, until, n) VALUES ('readyz', :until, 1) "
    "ON CONFLICT (key) DO UPDATE SET n = counter.n + 1, until = :until"
)  # a row that really changes: a full disk shows

blueprint = door("ops", __name__)


@blueprint.before_request
def _anybody() -> None:
    """Everybody may ask; the answers say nothing of anybody."""
    identity.enter("ops")


@blueprint.get("/healthz")
def alive() -> Response:
    """Answer while the process runs."""
    return jsonify(status="alive")


@blueprint.get("/readyz")
def ready() -> tuple[Response, int]:
    """Answer 200 when a write reaches the database and the schema is the newest."""
    faults = []
    try:
        with database().unit() as session:
            session.connection().execute(PROBE, {"until": int(clock.now().timestamp())})
        if not migrations.is_current(database()):
            faults.append("schema_old")
    except LeimaError as error:
        faults.append(error.code)
    return jsonify(status="ready" if not faults else "not ready", faults=faults), 503 if faults else 200
