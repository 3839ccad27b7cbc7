"""One key at one moment from several connections: one purchase, and every answer the same bytes."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Response, current_app
from sqlalchemy import func, select

from app.core.db import Database
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.doors import idempotency
from app.ledger.models import Purchase
from app.network.models import Answer
from app.wsgi import create_app
from tests.kill.harness import Place, a_place, purchase
from tests.members.races import FULL, at_once

TILLS = 10
REPLAYS = 1_000 if FULL else 50


@pytest.fixture
def place(database: Database) -> Place:
    return a_place(database)


@pytest.fixture
def post(settings: Settings, place: Place) -> Callable[[bytes, dict[str, str]], Any]:
    """Post one purchase to the application, from any thread."""
    app = create_app(Runtime(settings, place.database))
    return lambda body, headers: app.test_client().post("/api/v1/purchases", data=body, headers=headers)


Post = Callable[[bytes, dict[str, str]], Any]


def same_key_at_once(place: Place, post: Post) -> tuple[set[tuple[int, bytes]], int, int]:
    """Send one purchase ten times at once; return the different answers, and what stands of purchases and answers."""
    body, headers = purchase(place, place.codes[0])

    def send(_till: int) -> tuple[int, bytes]:
        response = post(body, headers)
        return response.status_code, response.data

    answers = at_once(TILLS, send)
    with place.database.reading(place.brand_id) as session:
        standing = [session.scalar(select(func.count(table.id))) or 0 for table in (Purchase, Answer)]
    return {answer for answer in answers if isinstance(answer, tuple)}, standing[0], standing[1]


def test_same_key_ten_times_at_once_has_one_effect_and_one_answer(place: Place, post: Post) -> None:
    answers, purchases, kept = same_key_at_once(place, post)

    ((status, _body),) = answers
    assert (status, purchases, kept) == (201, 1, 1)


def test_key_that_is_not_kept_is_caught(place: Place, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def twin(_key: str, _fingerprint: str, do: Callable[[], Any]) -> Response:
        return current_app.make_response(do())

    monkeypatch.setattr(idempotency, "_once", twin)

    answers, _purchases, kept = same_key_at_once(place, post)

    assert (len(answers) > 1, kept) == (True, 0)


def test_replays_are_the_first_answer_byte_for_byte(place: Place, post: Post) -> None:
    body, headers = purchase(place, place.codes[0])
    first = post(body, headers)
    post(*purchase(place, place.codes[0]))  # the card goes on: a replay must not show it

    for _replay in range(REPLAYS):
        again = post(body, headers)
        assert (again.status_code, again.data, again.mimetype) == (201, first.data, first.mimetype)
        assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers


def test_same_key_with_another_body_is_refused(place: Place, post: Post) -> None:
    body, headers = purchase(place, place.codes[0])
    post(body, headers)

    other = post(body.replace(b'"receipt": "', b'"receipt": "X'), headers)

    assert (other.status_code, other.json["code"]) == (409, "idempotency_key_reused")


def test_refusal_is_not_kept_so_it_may_be_tried_again(place: Place, post: Post) -> None:
    body, headers = purchase(place, place.codes[0])
    receipt = headers["Idempotency-Key"].encode()

    refused = post(body.replace(receipt, b""), headers)
    accepted = post(body, headers)

    assert (refused.status_code, accepted.status_code) == (422, 201)
