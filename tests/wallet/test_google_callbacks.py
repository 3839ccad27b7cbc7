"""Google's callbacks: only what Google signed for us counts, and it counts once."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock
from app.core.db import Database
from app.core.settings import Settings
from app.fakes.google_signing import CallbackSigner
from app.fakes.wallet_chain import ISSUER_ID, WalletChain
from app.wallet import service as wallet
from app.wallet.google.callbacks import CallbackRefused, parse_root_keys, verify
from tests.apps import a_client
from tests.builders import a_brand
from tests.wallet.googleside import GoogleShop, google_shop

CLASS, OBJECT = f"{ISSUER_ID}.meri.ABCDEFGH", f"{ISSUER_ID}.01J8ZQ5W3YV7N6K4T2R0P9M8AB"
SIGNER = CallbackSigner(ISSUER_ID, clock.now)


def read(body: bytes, **changes: Any) -> Any:
    given = {"root_keys": parse_root_keys(SIGNER.root_keys()), "issuer_id": ISSUER_ID, "now": clock.now()}
    return verify(body, **given | changes)


@pytest.mark.parametrize("event", ["save", "del"])
def test_good_callback_is_read(event: str) -> None:
    found = read(SIGNER.callback(event, CLASS, OBJECT, nonce="n-1"))

    assert (found.event, found.class_id, found.object_id, found.nonce) == (event, CLASS, OBJECT, "n-1")


def test_ids_beyond_ascii_are_counted_in_bytes() -> None:
    strange = f"{ISSUER_ID}.kahvikortti-ä€𝄞"

    assert read(SIGNER.callback("save", CLASS, strange)).object_id == strange


HOUR = timedelta(hours=1)
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "another root key": (
        lambda: SIGNER.callback("save", CLASS, OBJECT, root=ec.generate_private_key(ec.SECP256R1())),
        "callback_bad_signature",
    ),
    "another signer": (
        lambda: SIGNER.callback("save", CLASS, OBJECT, signer=ec.generate_private_key(ec.SECP256R1())),
        "callback_bad_signature",
    ),
    "another recipient": (
        lambda: SIGNER.callback("save", CLASS, OBJECT, recipient="3388000000000000000"), "callback_bad_signature",
    ),
    "an ended intermediate key": (
        lambda: SIGNER.callback("save", CLASS, OBJECT, intermediate_ends=clock.now() - HOUR), "callback_expired_key",
    ),
    "too old": (lambda: SIGNER.callback("save", CLASS, OBJECT, expires=clock.now() - HOUR), "callback_expired"),
    "another issuer's object": (lambda: SIGNER.callback("save", CLASS, "99.x"), "callback_other_issuer"),
    "another issuer's class": (lambda: SIGNER.callback("save", "99.x", OBJECT), "callback_other_issuer"),
    "another event": (lambda: SIGNER.callback("view", CLASS, OBJECT), "callback_malformed"),
    "nothing": (lambda: b"", "callback_malformed"),
    "no JSON": (lambda: b"{", "callback_malformed"),
    "a list": (lambda: b"[]", "callback_malformed"),
    "deep": (lambda: b"[" * 9000, "callback_malformed"),
    "huge": (lambda: SIGNER.callback("save", CLASS, OBJECT + "x" * 20_000), "callback_malformed"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_anything_else_is_refused_by_its_code(what: str) -> None:
    make, code = REFUSED[what]

    with pytest.raises(CallbackRefused) as refused:
        read(make())

    assert refused.value.code == code


@pytest.mark.parametrize("place", ["signature", "signedMessage", "signedKey", "signatures", "protocolVersion"])
def test_one_changed_byte_anywhere_is_refused(place: str) -> None:
    body = json.loads(SIGNER.callback("save", CLASS, OBJECT))
    inner = body["intermediateSigningKey"]
    if place in ("signedKey", "signatures"):
        inner[place] = [_flip(inner[place][0])] if place == "signatures" else _flip(inner[place])
    else:
        body[place] = _flip(body[place])

    with pytest.raises(CallbackRefused):
        read(json.dumps(body).encode())


def _flip(text: str) -> str:
    at = len(text) // 2
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def test_root_key_that_has_ended_signs_nothing() -> None:
    keys = parse_root_keys(SIGNER.root_keys())
    with pytest.raises(CallbackRefused) as refused:
        read(SIGNER.callback("save", CLASS, OBJECT), root_keys=keys, now=clock.now() + timedelta(days=366))
    assert refused.value.code == "callback_bad_signature"


@given(st.binary(max_size=300) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["signature", "signedMessage", "intermediateSigningKey", "signedKey", "signatures", "keyValue",
                         "protocolVersion", "keyExpiration"]), inner, max_size=5),
    max_leaves=12,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_whatever_comes_only_a_refusal_comes_out(body: bytes) -> None:
    with pytest.raises(CallbackRefused):
        read(body)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"keys":7}', b'{"keys":[1,{"protocolVersion":"ECv2SigningOnly"}]}']
)
def test_broken_list_of_keys_has_none(data: bytes) -> None:
    assert parse_root_keys(data) == ()


@pytest.fixture
def at(database: Database, settings: Settings, chain: WalletChain) -> Any:
    with google_shop(database, settings, chain) as found:
        yield found


def post(at: GoogleShop, body: bytes, slug: str = "meri") -> tuple[int, str]:
    answer = a_client(at.shop.runtime).post(f"/hooks/google/{slug}", data=body)
    return answer.status_code, (answer.json or {}).get("code", "")


def body_of(at: GoogleShop, event: str, **changes: Any) -> bytes:
    card = at.card()
    return at.google.signer.callback(event, card["classId"], card["id"], **changes)


def in_wallets(at: GoogleShop) -> frozenset[str]:
    with at.shop.runtime.database.reading(at.shop.brand_id) as session:
        return wallet.added(session, at.shop.member_id)


def test_saves_and_removals_are_counted_and_the_card_says_added(at: GoogleShop) -> None:
    at.press()
    assert in_wallets(at) == frozenset()

    assert post(at, body_of(at, "save")) == (200, "")
    assert in_wallets(at) == {"google"}
    assert post(at, body_of(at, "del")) == (200, "")

    (row,) = at.rows()
    assert (row.saves, row.removals) == (1, 1)
    assert in_wallets(at) == frozenset()


def test_card_in_two_wallets_goes_on_until_the_last_one_removes_it(at: GoogleShop) -> None:
    at.press()
    for event in ("save", "save", "del"):
        assert post(at, body_of(at, event)) == (200, "")
    assert in_wallets(at) == {"google"}
    at.shop.buy("1")
    with at.moved(timedelta(seconds=2)):
        at.work()
    assert at.balance().startswith("1/")

    post(at, body_of(at, "del"))

    assert in_wallets(at) == frozenset()


def test_card_that_is_saved_again_gets_what_it_missed(at: GoogleShop) -> None:
    at.press()
    for event in ("save", "del"):
        post(at, body_of(at, event))
    at.shop.buy("1")
    with at.moved(timedelta(seconds=2)):
        at.work()
    assert at.balance().startswith("0/")

    post(at, body_of(at, "save"))
    with at.moved(timedelta(seconds=4)):
        at.work()

    assert at.balance().startswith("1/")


def test_same_callback_twice_counts_once(at: GoogleShop) -> None:
    at.press()
    body = body_of(at, "save", nonce="only once")

    assert [post(at, body) for _time in range(3)] == [(200, "")] * 3

    assert at.rows()[0].saves == 1


def test_callback_of_a_stranger_changes_nothing(at: GoogleShop) -> None:
    at.press()
    forged = body_of(at, "save", root=ec.generate_private_key(ec.SECP256R1()))

    assert post(at, forged) == (403, "callback_bad_signature")
    assert post(at, b"{}") == (403, "callback_malformed")
    assert at.rows()[0].saves == 0


def test_googles_new_keys_are_fetched_when_none_fits_but_not_for_every_forgery(at: GoogleShop) -> None:
    at.press()
    post(at, body_of(at, "save"))
    at.google.signer.new_root()

    with at.moved(timedelta(minutes=2)):
        answered = [post(at, body_of(at, "del")) for _time in range(3)]

    assert answered == [(200, "")] * 3
    assert fetched_keys(at) == 2


def test_without_googles_keys_it_is_503_so_that_google_sends_it_again(at: GoogleShop) -> None:
    at.press()
    at.google.tell(500, times=9, path="/keys")

    assert post(at, body_of(at, "save")) == (503, "callback_keys_unavailable")


def fetched_keys(at: GoogleShop) -> int:
    return len([path for _method, path, _status in at.google.requests if path.endswith("/keys")])


def test_keys_are_kept_for_as_long_as_google_says(at: GoogleShop) -> None:
    at.press()
    answered = []
    for by in (timedelta(), timedelta(minutes=59), timedelta(minutes=61)):  # it says an hour
        with at.moved(by):
            answered.append((post(at, body_of(at, "save")), fetched_keys(at)))

    assert answered == [((200, ""), 1), ((200, ""), 1), ((200, ""), 2)]


def test_known_keys_serve_on_while_google_is_away(at: GoogleShop) -> None:
    at.press()
    post(at, body_of(at, "save"))
    at.google.tell(500, times=9, path="/keys")

    with at.moved(timedelta(hours=2)):
        assert post(at, body_of(at, "del")) == (200, "")


def test_strangers_make_us_ask_for_keys_once_a_minute_at_most(at: GoogleShop) -> None:
    at.press()
    at.google.tell(500, times=99, path="/keys")
    forged = body_of(at, "save", root=ec.generate_private_key(ec.SECP256R1()))

    assert {post(at, forged) for _time in range(5)} == {(503, "callback_keys_unavailable")}
    assert fetched_keys(at) == 1

    at.google.tell_nothing()
    with at.moved(timedelta(minutes=1)):
        assert post(at, body_of(at, "save")) == (200, "")


def test_garbage_asks_google_for_nothing(at: GoogleShop) -> None:
    at.press()

    assert post(at, b'{"signature":"x"}') == (403, "callback_malformed")
    assert fetched_keys(at) == 0


def test_callback_about_another_brands_card_changes_nothing(at: GoogleShop) -> None:
    at.press()
    a_brand(at.shop.runtime.database, "other")

    assert post(at, body_of(at, "save"), slug="other") == (200, "")
    assert at.rows()[0].saves == 0
