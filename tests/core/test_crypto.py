"""Ids, codes, sealed secrets and one-time codes, against published values where there are some."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from app.core import crypto
from app.core.crypto import SYMBOLS, Keyring

KEYS = Keyring({"new": b"n" * 32, "old": b"o" * 32}, b"a look-up secret")


def test_ids_sort_by_age_and_do_not_repeat() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    ids = [crypto.new_id(start + timedelta(milliseconds=number)) for number in range(1000)]

    assert ids == sorted(ids)
    assert len(set(ids)) == 1000
    assert {len(one) for one in ids} == {26}


def test_alphabet_has_no_symbols_that_look_alike() -> None:
    assert len(set(SYMBOLS)) == 32
    assert not set(SYMBOLS) & set("01IO")
    assert set(crypto.random_symbols(5000)) == set(SYMBOLS)


@given(code=st.text(SYMBOLS, min_size=2, max_size=16), place=st.integers(0, 14))
def test_check_symbol_finds_swapped_neighbors_but_for_the_first_and_the_last_of_the_alphabet(
    code: str, place: int
) -> None:
    left, right = code[place % (len(code) - 1)], code[place % (len(code) - 1) + 1]
    at = place % (len(code) - 1)
    swapped = code[:at] + right + left + code[at + 2 :]

    known = left == right or {left, right} == {SYMBOLS[0], SYMBOLS[-1]}
    assert (crypto.check_symbol(swapped) == crypto.check_symbol(code)) is known


@pytest.mark.parametrize("typed", ["abcd-efgh", " ABCD EFGH ", "abcd\u00a0efgh", "ABCD\tEFGH"])
def test_typed_code_is_read_without_spaces_and_dashes(typed: str) -> None:
    assert crypto.normalize_code(typed) == "ABCDEFGH"


@pytest.mark.parametrize(("second", "code"), [(59, "287082"), (1111111109, "081804"), (2000000000, "279037")])
def test_one_time_codes_are_those_of_rfc_6238(second: int, code: str) -> None:
    step = crypto.totp_step(datetime.fromtimestamp(second, UTC))

    assert crypto.totp(b"12345678901234567890", step) == code


@given(st.binary(max_size=200))
def test_sealed_bytes_open_again_and_never_seal_alike(plain: bytes) -> None:
    first, second = KEYS.encrypt(plain), KEYS.encrypt(plain)

    assert KEYS.decrypt(first) == KEYS.decrypt(second) == plain
    assert first != second
    assert first.startswith(b"new:")


def test_older_key_still_opens_and_a_lost_one_does_not() -> None:
    sealed = Keyring({"old": b"o" * 32}, b"x").encrypt("Äino")

    assert KEYS.text(sealed) == "Äino"
    with pytest.raises(KeyError):
        Keyring({"new": b"n" * 32}, b"x").decrypt(sealed)


@pytest.mark.parametrize("place", [0, 4, 10, -1])
def test_changed_bytes_do_not_open(place: int) -> None:
    sealed = bytearray(KEYS.encrypt("a coupon's code"))
    sealed[place] ^= 1

    with pytest.raises((InvalidTag, KeyError)):
        KEYS.decrypt(bytes(sealed))


def test_sealed_bytes_of_one_key_do_not_pass_for_anothers() -> None:
    twins = Keyring({"a": b"k" * 32, "b": b"k" * 32}, b"x")
    sealed = twins.encrypt("secret")

    with pytest.raises(InvalidTag):
        twins.decrypt(b"b" + sealed[1:])


def test_lookup_hash_hangs_on_purpose_value_and_secret_only() -> None:
    same = Keyring({"other": b"z" * 32}, b"a look-up secret")

    assert KEYS.lookup("coupon", "A") == same.lookup("coupon", "A")
    others = {
        KEYS.lookup("coupon", "B"),
        KEYS.lookup("till", "A"),
        Keyring({"k": b"k" * 32}, b"y").lookup("coupon", "A"),
    }
    assert KEYS.lookup("coupon", "A") not in others
    assert len(others) == 3


def test_keys_are_read_in_their_order() -> None:
    one, two = base64.b64encode(b"1" * 32).decode(), base64.b64encode(b"2" * 32).decode()

    assert list(crypto.parse_keys(f" b:{one} , a:{two},")) == ["b", "a"]


@pytest.mark.parametrize(
    "text", ["short:" + base64.b64encode(b"k" * 31).decode(), "no-colon", ":" + "A" * 44, "id:***"]
)
def test_key_that_is_not_thirty_two_bytes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        crypto.parse_keys(text)


def test_keyring_without_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a key"):
        Keyring({}, b"x")


def test_tokens_and_digits_have_their_length_and_do_not_repeat() -> None:
    assert len({crypto.new_token() for _draw in range(500)}) == 500
    assert len(base64.urlsafe_b64decode(crypto.new_token())) == 24
    digits = [crypto.new_digits() for _draw in range(500)]
    assert all(len(code) == 6 and code.isdigit() for code in digits)
    assert any(code.startswith("0") for code in digits)
    assert (crypto.same("ä", "ä"), crypto.same("a", "b")) == (True, False)
