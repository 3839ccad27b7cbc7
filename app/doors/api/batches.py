"""What a till did while it was offline: each event is a call of its own, with its own key and its own unit of work."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, current_app, request
from pydantic import ValidationError

from app.core import web
from app.core.errors import LeimaError
from app.core.i18n import gettext as _
from app.doors.api import batch_schemas as api
from app.doors.api import coupon_schemas as of_coupons
from app.doors.api import coupons, sales, serials, stamps
from app.doors.api import sale_schemas as of_sales
from app.doors.api import serial_schemas as of_serials
from app.doors.api import stamp_schemas as of_stamps
from app.doors.api.schemas import In, Out
from app.doors.api.views import blueprint
from app.doors.idempotency import answer_of, call_once, keep_answer

MAX_BODY = 1024 * 1024  # bytes: 500 events of 2 kB
SENT_AGAIN = (429, 503)  # refusals that say nothing about the event: the same batch may bring it again


@dataclass(frozen=True)
class Call:
    """A call that an event may be: its address as the till would have called it, its forms, and what does it."""

    path: re.Pattern[str]
    takes: type[In]
    answers: type[Out]
    do: Callable[[Any, datetime, Sequence[str]], dict[str, Any]]


CALLS = (
    Call(
        re.compile("/purchases"), of_sales.PurchaseIn, of_sales.PurchaseOut,
        lambda body, _at, _names: sales.book(body, offline=True),
    ),
    Call(
        re.compile("/refunds"), of_sales.RefundIn, of_sales.RefundOut,
        lambda body, at, _names: sales.take_back(body, at=at),
    ),
    Call(
        re.compile("/stamps"), of_stamps.StampIn, of_stamps.StampOut, lambda body, at, _names: stamps.give(body, at=at)
    ),
    Call(
        re.compile("/coupons/([^/]+)/redemptions"), of_coupons.RedemptionIn, of_coupons.RedemptionOut,
        lambda body, at, names: coupons.use(names[0], body, at=at),
    ),
    Call(
        re.compile("/redemptions/([^/]+)/reversals"), of_coupons.ReversalIn, of_coupons.ReversalOut,
        lambda _body, at, names: coupons.undo(names[0], at=at),
    ),
    Call(
        re.compile("/serial-cards/uses"), of_serials.SerialUsesIn, of_serials.SerialUsesOut,
        lambda body, at, _names: serials.use(body, at=at),
    ),
)  # fmt: skip


@blueprint.post("/batches")
@web.takes(MAX_BODY)
@blueprint.input(api.BatchIn)
@blueprint.output(api.BatchOut, status_code=201)
def batch(json_data: api.BatchIn) -> Response:
    """Book what a till did offline, in the order in which it happened; one result for each event."""
    key, body = request.headers.get("Idempotency-Key", ""), request.get_data(cache=True)
    kept = web.in_own_unit(lambda: answer_of(key, body))
    if kept is not None:
        return kept
    in_order = sorted(enumerate(json_data.events), key=lambda one: (one[1].occurred_at, one[1].key, one[0]))
    results = {place: _result(event) for place, event in in_order}
    told = [results[place] for place in range(len(json_data.events))]
    response = current_app.make_response(({"results": told}, 201))
    if any(result["status"] in SENT_AGAIN for result in told):
        return response
    return web.in_own_unit(lambda: keep_answer(key, body, response))


def _result(event: api.EventIn) -> dict[str, Any]:
    """Return what an event answered; a refusal of one is no reason to stop the others."""
    told: dict[str, Any] = {"key": event.key, "replayed": False, "answer": None, "problem": None}
    try:
        response = web.in_own_unit(lambda: _do(event))
    except LeimaError as error:
        problem = web.problem_of(error.status, error.code, error.message, **error.extra)
        return {**told, "status": error.status, "problem": problem}
    replayed = response.headers.get("Idempotent-Replayed") == "true"
    answer = json.loads(response.get_data())
    return {**told, "status": response.status_code, "replayed": replayed, "answer": answer}


def _do(event: api.EventIn) -> Response:
    known = ((call, call.path.fullmatch(event.call)) for call in CALLS)
    call, found = next(((call, found) for call, found in known if found), (None, None))
    if call is None or found is None:
        raise api.CallUnknown(_("An offline till cannot make this call."), call=event.call)
    body = _read(call.takes, event)

    def answer() -> tuple[dict[str, Any], int]:
        told = call.do(body, event.occurred_at, found.groups())
        return call.answers.model_validate(told).model_dump(mode="json"), 201

    return call_once(event.key, f"{blueprint.url_prefix}{event.call}", json.dumps(event.body).encode(), answer)


def _read(form: type[In], event: api.EventIn) -> In:
    given = event.body
    if "occurred_at" in form.model_fields and "occurred_at" not in given:
        given = {**given, "occurred_at": event.occurred_at.isoformat()}
    try:
        body = form.model_validate_json(json.dumps(given))
    except ValidationError as error:
        faults: dict[str, list[str]] = {}
        for fault in error.errors():
            faults.setdefault(".".join(str(part) for part in fault["loc"]), []).append(fault["msg"])
        raise api.EventInvalid(_("Some of what was sent is not as it should be."), errors={"body": faults}) from None
    if getattr(body, "occurred_at", event.occurred_at) != event.occurred_at:  # events are booked in the order of theirs
        differs = {"occurred_at": [_("The event says another time.")]}
        raise api.EventInvalid(_("Some of what was sent is not as it should be."), errors={"body": differs})
    return body
