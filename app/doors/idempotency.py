"""One key, one effect, one answer: a till's API call byte for byte, a form of the till page with the same redirect."""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

from flask import Response, current_app, g, redirect, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock, web
from app.core.db import brand_of, inserting, keyring
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
    """Run a view once for each key; a repeat gets the first answer.

    Only a success is kept, so a refusal may be tried again.
    """

    @wraps(view)
    def wrapper(*args: Any, **values: Any) -> Response:
        key = request.headers.get("Idempotency-Key", "")
        if not _is_key(key):
            raise KeyMissing(_("The header Idempotency-Key is missing."))
        return _once(key, fingerprint(request.get_data(cache=True)), lambda: view(*args, **values))

    return wrapper


def fingerprint(body: bytes) -> str:
    """Return the hash of a body: of what it says where it is JSON, so that a batch may repeat a call in other bytes."""
    with suppress(ValueError, RecursionError):  # no JSON, or nested too deep to be one
        said = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(said.encode()).hexdigest()
    return hashlib.sha256(body).hexdigest()


def call_once(key: str, path: str, body: bytes, do: Callable[[], Any]) -> Response:
    """Do one call of a batch once: under the same key the call itself would find the same answer, and the other way.

    Raises:
        KeyReused: the key came before with another body or to another address.
    """
    return _once(key, fingerprint(body), do, path=path)


def keep_answer(key: str, body: bytes, response: Response) -> Response:
    """Keep the answer of a call that worked in several units; return the one of the first such call."""
    return _once(key, fingerprint(body), lambda: response)


def answer_of(key: str, body: bytes) -> Response | None:
    """Return the answer that was kept under a key, None where there is none.

    Raises:
        KeyMissing, KeyReused: as every call.
    """
    if not _is_key(key):
        raise KeyMissing(_("The header Idempotency-Key is missing."))
    return _replay(web.session(), key, fingerprint(body), request.path) if answered(key) else None


def once(do: Callable[[], Any]) -> Response:
    """Do what a form asks for once; a second click is led to where the first one was. The form's `key` names it.

    Raises:
        KeyMissing: the form has no key.
        KeyReused: the same page was sent before with something else in it.
    """
    key = request.form.get("key", "")
    if not _is_key(key):
        raise KeyMissing(_("This page is incomplete. Please open it again."))
    fields = sorted((name, value) for name, value in request.form.items(multi=True) if name not in ("key", "pin"))
    return _once(key, hashlib.sha256(repr(fields).encode()).hexdigest(), do)


def answered(key: str) -> bool:
    """Tell whether this till had an answer under a key, so that a repeat is not counted as another try."""
    with web.database().reading(g.brand_id) as session:
        wanted = select(Answer.id).where(Answer.till_id == g.till_id, Answer.key == key, Answer.status > 0)
        return session.scalar(wanted) is not None


def _is_key(key: str) -> bool:
    return 1 <= len(key) <= 128 and all("!" <= symbol <= "~" for symbol in key)


def _once(key: str, fingerprint: str, do: Callable[[], Any], *, path: str | None = None) -> Response:
    """The row is written before the work: a second call with the same key waits for the first one's transaction."""
    session, address = web.session(), path or request.path
    row_id = _take(session, key, fingerprint, address)
    if row_id is None:
        return _replay(session, key, fingerprint, address)
    response: Response = current_app.make_response(do())
    if response.status_code < 400:
        row = session.get_one(Answer, row_id)
        kept = response.location.encode() if response.location else response.get_data()
        row.status, row.body = response.status_code, keyring(session).encrypt(kept)
        session.flush()
    return response


def _take(session: Session, key: str, fingerprint: str, path: str) -> int | None:
    insert = inserting(session)
    values = {
        "brand_id": brand_of(session),
        "till_id": g.till_id,
        "key": key,
        "path": path[:200],
        "body_hash": _kept(session, fingerprint),
        "status": 0,
        "body": b"",
        "at": clock.now(),
    }
    statement = insert(Answer).values(values).on_conflict_do_nothing().returning(Answer.id)
    row_id: int | None = session.execute(statement).scalar()
    return row_id


def _kept(session: Session, fingerprint: str) -> str:
    """Return a fingerprint as it is stored: a body may hold a PIN, which anybody counts out of a plain hash."""
    return keyring(session).lookup("call", fingerprint)


def _replay(session: Session, key: str, fingerprint: str, path: str) -> Response:
    row = session.scalars(select(Answer).where(Answer.till_id == g.till_id, Answer.key == key)).one()
    # Rows of before hold the plain hash. A call that comes again finds them too, for the 30 days that they are kept.
    if row.body_hash not in (_kept(session, fingerprint), fingerprint) or row.path != path[:200]:
        raise KeyReused(_("This Idempotency-Key was used for another call."))
    body = keyring(session).decrypt(row.body)
    if 300 <= row.status < 400:
        return current_app.make_response(redirect(body.decode(), row.status))
    return Response(body, status=row.status, mimetype="application/json", headers={"Idempotent-Replayed": "true"})
