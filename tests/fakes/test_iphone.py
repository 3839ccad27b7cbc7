"""The simulated iPhone asks, keeps and shows as iOS does, whatever the service answers."""

import json

import pytest

from app.fakes.iphone import SimulatedIPhone
from app.fakes.pkpass import PkpassRefused
from app.fakes.wallet_chain import PASS_TYPE_ID, WalletChain
from tests.fakes.phoneside import TOKEN, Service, a_pass, a_phone


def test_pass_that_is_added_is_registered_with_the_push_token(phone: SimulatedIPhone, service: Service) -> None:
    (call,) = service.calls

    assert (call.method, call.status) == ("POST", 201)
    assert call.path == f"/v1/devices/{phone.device}/registrations/{PASS_TYPE_ID}/one"
    assert call.headers["Authorization"] == f"ApplePass {TOKEN}"
    assert json.loads(call.body) == {"pushToken": "token0"}


def test_pass_without_a_web_service_is_kept_and_nobody_is_asked_about_it(service: Service, chain: WalletChain) -> None:
    phone = a_phone(service, chain)

    phone.add(a_pass(chain, webServiceURL=None, authenticationToken=None))
    phone.wake()

    assert phone.fields("one")["balance"] == "0"
    assert service.calls == []


def test_refused_pass_is_not_kept(service: Service, chain: WalletChain) -> None:
    phone = a_phone(service, chain)

    with pytest.raises(PkpassRefused):
        phone.add(a_pass(chain, listed={"icon.png": "0" * 40}))

    assert phone.held() == {}
    assert service.calls == []


def test_phone_asks_first_for_everything_and_then_for_what_changed_since(
    phone: SimulatedIPhone, service: Service, chain: WalletChain
) -> None:
    phone.wake()
    service.put(a_pass(chain, balance="1"))
    phone.wake()
    phone.wake()

    asked = [call for call in service.calls if call.method == "GET" and "registrations" in call.path]
    assert [(call.path.partition("?")[2], call.status) for call in asked] == [
        ("", 200), ("passesUpdatedSince=v1", 200), ("passesUpdatedSince=v2", 204),
    ]  # fmt: skip
    assert all("Authorization" not in call.headers for call in asked)
    assert phone.fields("one")["balance"] == "1"


def test_pass_is_asked_for_by_the_time_that_the_service_named(
    phone: SimulatedIPhone, service: Service, chain: WalletChain
) -> None:
    phone.wake()
    phone.tags.clear()
    phone.wake()

    first, second = [call for call in service.calls if "/passes/" in call.path]
    assert (first.headers.get("If-Modified-Since"), first.status) == (None, 200)
    assert (second.headers["If-Modified-Since"], second.status) == ("Tue, 24 Nov 2026 12:00:01 GMT", 304)
    assert "If-None-Match" not in second.headers


def test_phone_that_keeps_etags_asks_by_them_too(service: Service, chain: WalletChain) -> None:
    phone = a_phone(service, chain, by_etag=True)
    phone.add(service.passes["one"][1])
    phone.wake()
    phone.tags.clear()

    phone.wake()

    last = service.calls[-1]
    assert (last.headers["If-None-Match"], last.status) == ('"1"', 304)
    assert "If-Modified-Since" in last.headers


def test_older_file_that_is_added_again_does_not_pass_for_the_newest(
    phone: SimulatedIPhone, service: Service, chain: WalletChain
) -> None:
    older = service.passes["one"][1]
    service.put(a_pass(chain, balance="1"))
    phone.wake()

    phone.add(older)
    phone.tags.clear()
    phone.wake()

    assert phone.fields("one")["balance"] == "1"


@pytest.mark.parametrize("status", [401, 404, 500, 503])
def test_pass_that_could_not_be_fetched_is_kept_and_asked_for_again(
    status: int, phone: SimulatedIPhone, service: Service, chain: WalletChain
) -> None:
    phone.wake()
    service.put(a_pass(chain, balance="1"))
    service.put(a_pass(chain, "two", balance="5"), "two")
    phone.add(a_pass(chain, "two"))
    service.tell("GET", "passes/pass.fi.leima.demo/one", status)

    phone.wake()
    during = phone.fields("one")["balance"], phone.fields("two")["balance"], phone.tags[PASS_TYPE_ID]
    service.tell_nothing()
    phone.wake()

    assert during == ("0", "5", "v1")  # the tag stays until every pass was fetched
    assert (phone.fields("one")["balance"], phone.tags[PASS_TYPE_ID]) == ("1", "v3")
    assert any(str(status) in line for line in service.logs)


@pytest.mark.parametrize(
    "fault",
    [{"serial": "two"}, {"token": "another-token-of-16"}, {"signed": b"another"}, {"description": None}],
    ids=["another serial", "another token", "a broken signature", "no description"],
)
def test_update_that_no_phone_would_take_leaves_the_old_pass_and_is_complained_of(
    fault: dict[str, object], phone: SimulatedIPhone, service: Service, chain: WalletChain
) -> None:
    phone.wake()
    service.put(a_pass(chain, **({"balance": "1"} | fault)))  # type: ignore[arg-type]

    phone.wake()

    assert (phone.fields("one")["balance"], phone.tags[PASS_TYPE_ID]) == ("0", "v1")
    assert len(service.logs) == 1
    assert TOKEN not in service.logs[0]


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"<html>"), (200, b"[]"), (200, b'{"serialNumbers": ["one"]}'), (200, b'{"serialNumbers": 1}'), (500, b"")],
)
def test_list_that_makes_no_sense_changes_nothing_and_is_complained_of(
    status: int, body: bytes, phone: SimulatedIPhone, service: Service
) -> None:
    service.tell("GET", "registrations", status, body)

    phone.wake()

    assert phone.tags == {}
    assert len(service.logs) == 1
    assert service.count("GET", "/passes/") == 0
