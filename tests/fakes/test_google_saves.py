"""The fake Google's save links and its signed callbacks."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.fakes.google_delivery import Calls
from app.fakes.wallet_chain import ISSUER_ID
from app.wallet.google.callbacks import CallbackRefused, parse_root_keys, verify
from tests.fakes.googleside import (
    BARE,
    CARD,
    CARD_PATH,
    CLASS,
    CLASS_PATH,
    COUPON,
    OTHER,
    Issuer,
    Side,
    a_card,
    a_class,
    a_coupon,
    a_deal,
    a_message,
)


def test_save_link_with_ids_shows_a_page_without_markup_from_cards(side: Side) -> None:
    side.fill()
    side.rest("POST", "offerClass", a_deal())
    side.rest("POST", "offerObject", a_coupon())
    module = {"header": "<script>", "body": "Until & <i>tomorrow"}
    side.rest("PATCH", CARD_PATH, {"linkedObjectIds": [COUPON], "textModulesData": [module]})
    side.rest("POST", f"{CARD_PATH}/addMessage", a_message())

    status, page = side.save(BARE)

    assert status == 200
    assert "Saved in the simulated Google Wallet" in page
    assert all(text in page for text in ("Kahvi &amp; &lt;b&gt;", "3/10", "ACTIVE", "Message 0", "Free coffee"))
    assert "&lt;script&gt;" in page
    assert [mark for mark in ("<script", "<b>", "<i>") if mark in page] == []
    assert {name: held["hasUsers"] for name, held in side.google.objects.items()} == {CARD: True, COUPON: True}


def test_whole_card_in_a_link_is_made_and_a_second_time_kept(side: Side) -> None:
    whole = {
        "loyaltyClasses": [a_class()], "loyaltyObjects": [a_card(linkedObjectIds=[COUPON])],
        "offerClasses": [a_deal()], "offerObjects": [a_coupon()],
    }  # fmt: skip
    assert side.save(whole)[0] == 200
    side.rest("PATCH", CARD_PATH, {"state": "INACTIVE"})

    assert side.save(whole)[0] == 200

    assert side.google.objects[CARD]["state"] == "INACTIVE"


@pytest.mark.parametrize(
    ("payload", "changes", "expected"),
    [
        ({"loyaltyObjects": [{"id": f"{ISSUER_ID}.no<b>"}]}, {}, 404),
        ({"offerObjects": [{"id": CARD}]}, {}, 404),
        ({"loyaltyObjects": [{"id": "99.x"}]}, {}, 403),
        ({"loyaltyObjects": [a_card(id=f"{ISSUER_ID}.b", state="LIVE")]}, {}, 400),
        ({"loyaltyObjects": 7}, {}, 400),
        ({"loyaltyObjects": [{"id": []}]}, {}, 400),
        ({"loyaltyObjects": ["id"]}, {}, 400),
        ("all", {}, 400),
        (BARE, {"key": OTHER}, 400),
        (BARE, {"aud": "apple"}, 400),
        (BARE, {"typ": "JWT"}, 400),
        (BARE, {"iss": "who@else.example"}, 400),
    ],
)
def test_wrong_save_link_shows_an_error_page(side: Side, payload: Any, changes: dict[str, Any], expected: int) -> None:
    side.fill()

    status, page = side.save(payload, **changes)

    assert status == expected
    assert "cannot save this" in page
    assert "<b>" not in page
    assert side.google.objects == {CARD: a_card(hasUsers=False)}


def test_save_and_removal_are_called_back_signed(side: Side) -> None:
    side.fill()
    with Issuer() as issuer:
        side.rest("PATCH", CLASS_PATH, {"callbackOptions": {"url": f"{issuer.base_url}/hooks"}})
        side.save(BARE)
        side.google.wait_callbacks()
        side.google.remove(CARD)
        answered = side.google.wait_callbacks()

    assert answered == [("save", CARD, 200), ("del", CARD, 200)]
    keys = parse_root_keys(side.ask("GET", "/gp/m/issuer/keys")[1].encode())
    found = [verify(body, root_keys=keys, issuer_id=ISSUER_ID, now=side.clock[0]) for body in issuer.bodies]
    assert [(one.event, one.class_id, one.object_id) for one in found] == [("save", CLASS, CARD), ("del", CLASS, CARD)]
    assert side.google.objects[CARD]["hasUsers"] is False
    assert [one.title for one in side.store.newest("wallet")] == ["del", "save"]


@pytest.mark.parametrize("status", [302, 403, 503])
def test_answer_to_a_callback_is_kept_and_no_redirect_followed(side: Side, status: int) -> None:
    side.fill()
    with Issuer(status) as issuer:
        side.rest("PATCH", CLASS_PATH, {"callbackOptions": {"url": issuer.base_url}})
        side.save(BARE)

        assert side.google.wait_callbacks() == [("save", CARD, status)]


def test_issuer_that_is_away_is_an_answer_of_nothing(side: Side) -> None:
    side.fill()
    with Issuer() as issuer:
        url = issuer.base_url
    side.rest("PATCH", CLASS_PATH, {"callbackOptions": {"url": url}})
    side.save(BARE)

    assert side.google.wait_callbacks() == [("save", CARD, 0)]


@pytest.mark.parametrize(
    "url", ["https://meri.example/hooks", "http://127.0.0.1.meri.example/", "http://[", "file:///etc/hosts", ""]
)
def test_only_loopback_is_called(url: str) -> None:
    calls = Calls(lambda *_: pytest.fail("called"))

    calls.send(url, b"{}", "save", CARD)

    assert calls.wait(0) == []


def test_callback_signed_by_a_strangers_root_is_refused_by_us(side: Side) -> None:
    keys = parse_root_keys(side.google.signer.root_keys())
    body = side.google.signer.callback("save", CLASS, CARD, root=ec.generate_private_key(ec.SECP256R1()))

    with pytest.raises(CallbackRefused):
        verify(body, root_keys=keys, issuer_id=ISSUER_ID, now=side.clock[0])
