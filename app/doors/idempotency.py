"""`@idempotent`: a till's call under one key has one effect and one answer, byte for byte."""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, current_app, g, request
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core import clock, web
from app.core.db import brand_of, keyring
from app.core.errors import Conflict, Invalid
from app.core.i18n import gettext as _
from app.network.models import Answer

View = Callable[..., Any]


class KeyMissing(Invalid):
    """Every POST of a till needs an Idempotency-Key of 1 to 128 visible characters."""

    code = "idempotency_key_missing"


class KeyReused(Conflict):
    """The same key came before with another body or to another address."""

    code = "idempotency_key_reused"


def idempotent(view: View) -> View:
    """Run a view once for each key; a repeat gets the first answer. Only a success is kept, so a refusal may be tried again.

    The row is written before the view runs: a second call with the same key waits for the first one's transaction.
    """

    @wraps(view)
    def wrapper(*args: Any, **values: Any) -> Response:
        key = request.headers.get("Idempotency-Key", "")
        if not 1 <= len(key) <= 128 or not key.isascii() or not key.isprintable() or not key.strip():
            raise KeyMissing(_("The header Idempotency-Key is missing."))
        session = web.session()
        fingerprint = hashlib.sha256(request.get_data(cache=True)).hexdigest()
        row_id = _take(session, key, fingerprint)
        if row_id is None:
            return _replay(session, key, fingerprint)
        response: Response = current_app.make_response(view(*args, **values))
        if response.status_code < 400:
            row = session.get_one(Answer, row_id)
            row.status, row.body = response.status_code, keyring(session).encrypt(response.get_data())
            session.flush()
        return response

    return wrapper


def _take(session: Session, key: str, fingerprint: str) -> int | None:
    insert = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    values = {
        "brand_id": brand_of(session),
        "till_id": g.till_id,
        "key": key,
        "path": request.path[:200],
        "body_hash": fingerprint,
        "status": 0,
        "body": b"",
        "at": clock.now(),
    }
    statement = insert(Answer).values(values).on_conflict_do_nothing().returning(Answer.id)
    row_id: int | None = session.execute(statement).scalar()
    return row_id


def _replay(session: Session, key: str, fingerprint: str) -> Response:
    row = session.scalars(select(Answer).where(Answer.till_id == g.till_id, Answer.key == key)).one()
    if row.body_hash != fingerprint or row.path != request.path[:200]:
        raise KeyReused(_("This Idempotency-Key was used for another call."))
    body = keyring(session).decrypt(row.body)
    return Response(body, status=row.status, mimetype="application/json", headers={"Idempotent-Replayed": "true"})
