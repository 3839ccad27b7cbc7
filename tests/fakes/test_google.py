"""The fake Google is as strict as Google: tokens, schema, ids, rules, budget."""

import json
from http.client import HTTPConnection
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from app.fakes.wallet_chain import ISSUER_ID
from tests.fakes.googleside import (
    BARE,
    CARD,
    CARD_PATH,
    CLASS,
    CLASS_PATH,
    COUPON,
    DEAL,
    OTHER,
    Side,
    a_card,
    a_class,
    a_coupon,
    a_deal,
    a_message,
)
from tests.wallet.google_schema import SHIPPED, closed_schema


def test_shipped_schema_is_googles_own() -> None:
    assert json.loads(SHIPPED.read_text(encoding="utf-8")) == closed_schema()


def test_token_is_given_for_a_right_assertion_and_ends(side: Side) -> None:
    status, answer = side.assertion()

    assert (status, answer["token_type"], answer["expires_in"]) == (200, "Bearer", 3599)
    token = answer["access_token"]
    assert side.rest("POST", "loyaltyClass", a_class(), token=token)[0] == 200
    side.later(seconds=3598)
    assert side.rest("GET", f"loyaltyClass/{CLASS}", token=token)[0] == 200
    side.later(seconds=1)
    assert side.rest("GET", f"loyaltyClass/{CLASS}", token=token)[0] == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"key": OTHER}, {"grant": "password"}, {"iss": "who@else.example"}, {"aud": "https://else.example/token"},
        {"scope": "https://www.googleapis.com/auth/drive"}, {"scope": None}, {"iat": 1, "exp": 3601}, {"exp": 2**40},
        {"iat": "now"}, {"exp": []}, {"iat": 2**33},
    ],
)  # fmt: skip
def test_wrong_assertion_gets_no_token(side: Side, changes: dict[str, Any]) -> None:
    status, answer = side.assertion(**changes)

    assert (status, answer["error"], side.google.tokens) == (400, "invalid_grant", 0)


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic x"}])
def test_without_a_token_nothing_is_done(side: Side, header: dict[str, str]) -> None:
    headers = header | {"Content-Type": "application/json"}
    status, text = side.ask("POST", "/walletobjects/v1/loyaltyClass", json.dumps(a_class()).encode(), **headers)

    error = json.loads(text)["error"]
    assert (status, error["code"], error["status"]) == (401, 401, "UNAUTHENTICATED")
    assert side.google.classes == {}


def test_what_was_inserted_is_given_back_with_googles_own_fields(side: Side) -> None:
    side.fill()

    status, card = side.rest("GET", f"loyaltyObject/{CARD}")

    assert status == 200
    assert card == a_card() | {"hasUsers": False, "kind": "walletobjects#loyaltyObject"}
    assert side.google.requests[-1] == ("GET", f"/walletobjects/v1/loyaltyObject/{CARD}", 200)


REFUSED: dict[str, tuple[str, str, Any, int]] = {
    "unknown field": ("POST", "loyaltyClass", a_class(id=f"{ISSUER_ID}.b", color="red"), 400),
    "unknown word": ("POST", "loyaltyObject", a_card(id=f"{ISSUER_ID}.b", state="LIVE"), 400),
    "missing field": ("POST", "loyaltyClass", {"id": f"{ISSUER_ID}.b"}, 400),
    "not an object": ("POST", "loyaltyClass", [], 400),
    "second class": ("POST", "loyaltyClass", a_class(), 409),
    "second object": ("POST", "loyaltyObject", a_card(), 409),
    "another issuer's class": ("POST", "loyaltyClass", a_class(id="99.x"), 403),
    "another issuer's object": ("GET", "loyaltyObject/99.x", None, 403),
    "unknown object": ("GET", f"loyaltyObject/{ISSUER_ID}.b", None, 404),
    "patch of an unknown one": ("PATCH", f"loyaltyObject/{ISSUER_ID}.b", {"state": "ACTIVE"}, 404),
    "object as another kind": ("GET", f"offerObject/{CARD}", None, 404),
    "unknown class": ("POST", "loyaltyObject", a_card(id=f"{ISSUER_ID}.b", classId=f"{ISSUER_ID}.no"), 400),
    "class of another kind": ("POST", "offerObject", a_coupon(classId=CLASS), 400),
    "patch to another kind of class": ("PATCH", CARD_PATH, {"classId": DEAL}, 400),
    "back to draft": ("PATCH", CLASS_PATH, {"reviewStatus": "DRAFT"}, 400),
    "unknown linked object": ("PATCH", CARD_PATH, {"linkedObjectIds": [COUPON]}, 400),
    "new id": ("PATCH", CARD_PATH, {"id": f"{ISSUER_ID}.b"}, 400),
    "patch with an unknown field": ("PATCH", CARD_PATH, {"balance": 1}, 400),
    "patch with a part that misses a field": ("PATCH", CARD_PATH, {"loyaltyPoints": {"balance": "3"}}, 400),
    "put without what is required": ("PUT", CARD_PATH, {"id": CARD}, 400),
    "eleven messages": ("PATCH", CARD_PATH, {"messages": [a_message(n)["message"] for n in range(11)]}, 400),
    "message of no form": ("POST", f"{CARD_PATH}/addMessage", {"text": "hello"}, 400),
    "message for nobody": ("POST", f"loyaltyObject/{ISSUER_ID}.b/addMessage", a_message(), 404),
    "no such kind": ("POST", "flightClass", {}, 404),
    "no such method": ("DELETE", CARD_PATH, {}, 404),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refusal_has_googles_form_and_changes_nothing(side: Side, what: str) -> None:
    method, path, payload, expected = REFUSED[what]
    side.fill()
    side.rest("POST", "offerClass", a_deal())
    before = json.dumps([side.google.classes, side.google.objects])

    status, answer = side.rest(method, path, payload)

    assert (status, answer["error"]["code"]) == (expected, expected)
    assert answer["error"]["message"]
    assert json.dumps([side.google.classes, side.google.objects]) == before


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 9000, b"\xff"])
def test_body_that_is_no_json_is_refused(side: Side, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {side.assertion()[1]['access_token']}", "Content-Type": "application/json"}

    assert side.ask("POST", "/walletobjects/v1/loyaltyClass", body, **headers)[0] == 400


def test_patch_merges_what_it_names_and_put_clears_the_rest(side: Side) -> None:
    side.fill()

    side.rest("PATCH", CARD_PATH, {"accountName": "Päivi", "hasUsers": True})
    assert side.google.objects[CARD] == a_card(accountName="Päivi", hasUsers=False)

    side.rest("PUT", CARD_PATH, {"id": CARD, "classId": CLASS, "state": "INACTIVE"})
    assert side.google.objects[CARD] == {"id": CARD, "classId": CLASS, "state": "INACTIVE", "hasUsers": False}


@pytest.mark.parametrize("path", ["loyaltyClass", "loyaltyObject"])
def test_wish_to_notify_counts_for_its_own_request_and_is_not_kept(side: Side, path: str) -> None:
    side.fill()
    made = a_class if path == "loyaltyClass" else a_card
    name, wish = f"{ISSUER_ID}.b", {"notifyPreference": "NOTIFY_ON_UPDATE"}

    inserted = side.rest("POST", path, made(id=name, **wish))
    patched = side.rest("PATCH", f"{path}/{name}", wish)

    assert (inserted[0], patched[0]) == (200, 200)
    assert "notifyPreference" not in inserted[1] | patched[1]
    assert side.google.notified == {}


def test_eleventh_message_pushes_the_oldest_out(side: Side) -> None:
    side.fill()

    answered = {side.rest("POST", f"{CARD_PATH}/addMessage", a_message(number))[0] for number in range(11)}

    assert answered == {200}
    assert [one["id"] for one in side.google.objects[CARD]["messages"]] == [str(number) for number in range(1, 11)]


def test_fourth_notification_within_a_day_is_over_budget(side: Side) -> None:
    side.fill()
    side.save(BARE)
    for number in range(3):
        side.rest("PATCH", CARD_PATH, {"accountName": f"{number}", "notifyPreference": "NOTIFY_ON_UPDATE"})
        side.later(minutes=30)
    assert (len(side.google.notified[CARD]), side.google.over_budget) == (3, [])

    side.later(hours=22, minutes=29)  # one minute before the first is a day old
    side.rest("POST", f"{CARD_PATH}/addMessage", a_message(kind="TEXT_AND_NOTIFY"))
    assert side.google.over_budget == [CARD]

    side.later(minutes=62)
    side.rest("POST", f"{CLASS_PATH}/addMessage", a_message(kind="TEXT_AND_NOTIFY"))
    assert side.google.over_budget == [CARD]


def test_only_a_change_that_asks_for_it_notifies_and_only_a_holder(side: Side) -> None:
    side.fill()
    asks = {"accountName": "Päivi", "notifyPreference": "NOTIFY_ON_UPDATE"}
    side.rest("PATCH", CARD_PATH, asks)  # nobody holds it
    side.save(BARE)
    side.rest("PATCH", CARD_PATH, asks)  # nothing changes
    side.rest("PATCH", CARD_PATH, {"accountName": "Anna"})  # not asked for
    side.rest("POST", f"{CARD_PATH}/addMessage", a_message())

    assert side.google.notified == {}


def test_told_statuses_are_answered_and_then_all_is_as_usual(side: Side) -> None:
    side.fill()
    side.google.tell(429, times=2, retry_after=7, path="/loyaltyObject/")

    answered = [side.rest("GET", path)[0] for path in (CLASS_PATH, CARD_PATH, CARD_PATH, CARD_PATH)]

    assert answered == [200, 429, 429, 200]


def test_down_is_unreachable_and_up_comes_back_on_the_same_port_with_everything(side: Side) -> None:
    side.fill()
    base = side.google.base_url
    kept = HTTPConnection(base.removeprefix("http://"), timeout=10)
    kept.request("GET", "/gp/m/issuer/keys")
    kept.getresponse().read()

    side.google.down()
    with pytest.raises(URLError):
        urlopen(base, timeout=10)
    kept.request("GET", "/gp/m/issuer/keys")
    answer = kept.getresponse()
    assert (answer.status, answer.getheader("Connection")) == (503, "close")
    answer.read()
    kept.close()
    side.google.up()

    assert side.google.base_url == base
    assert side.rest("GET", CARD_PATH)[0] == 200
