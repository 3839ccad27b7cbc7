"""The simulated iPhone asks, keeps and shows as iOS does, whatever the service answers."""

import json
import threading

import pytest

from app.fakes.iphone import SimulatedIPhone
from app.fakes.loopback import LoopbackServer, Reply, Request
from app.fakes.pkpass import PkpassRefused
from app.fakes.wallet_chain import PASS_TYPE_ID, WalletChain, wallet_chain
from tests.fakes.phoneside import SERVICE, TOKEN, Headers, Service, a_pass


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> WalletChain:
    return wallet_chain(tmp_path_factory.mktemp("iphone") / "chain")


@pytest.fixture
def service(chain: WalletChain) -> Service:
    """A service with one pass."""
    found = Service()
    found.put(a_pass(chain))
    return found


@pytest.fixture
def phone(service: Service, chain: WalletChain) -> SimulatedIPhone:
    """A phone that has this pass."""
    found = a_phone(service, chain)
    found.add(service.passes["one"][1])
    return found


def a_phone(service: Service, chain: WalletChain, **given: bool) -> SimulatedIPhone:
    tokens = iter(f"token{number}" for number in range(10))
    return SimulatedIPhone(lambda: next(tokens), transport=service.carry, authority=chain.root, **given)


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


def test_phone_without_network_hears_one_wake_up_when_it_has_one_again(
    phone: SimulatedIPhone, service: Service, chain: WalletChain
) -> None:
    phone.online = False
    for balance in ("1", "2", "3"):
        service.put(a_pass(chain, balance=balance))
        phone.wake()
    during = phone.fields("one")["balance"], service.count("GET")

    phone.go_online()

    assert during == ("0", 0)
    assert phone.fields("one")["balance"] == "3"
    assert service.count("GET", "registrations") == 1
    assert not phone.pending


def test_service_that_is_down_breaks_no_phone(phone: SimulatedIPhone, service: Service, chain: WalletChain) -> None:
    service.down = True
    phone.wake()
    phone.add(a_pass(chain, "two"))
    service.down = False
    service.put(a_pass(chain, "two"), "two")

    phone.wake()

    assert set(service.registered) == {"one", "two"}
    assert phone.tags[PASS_TYPE_ID] == "v2"


def test_registration_that_failed_is_tried_again(service: Service, chain: WalletChain) -> None:
    phone = a_phone(service, chain)
    service.tell("POST", "registrations", 503)
    phone.add(service.passes["one"][1])
    service.tell_nothing()

    phone.wake()

    assert service.registered == {"one": "token0"}


def test_new_push_token_reaches_the_service_for_every_pass(
    phone: SimulatedIPhone, service: Service, chain: WalletChain
) -> None:
    phone.add(a_pass(chain, "two"))

    phone.renew_token()

    assert service.registered == {"one": "token1", "two": "token1"}


def test_pass_that_is_removed_is_unregistered_and_forgotten(phone: SimulatedIPhone, service: Service) -> None:
    phone.wake()

    phone.remove("one")

    assert (phone.held(), phone.tags, service.registered) == ({}, {}, {})
    assert (service.calls[-1].method, service.calls[-1].status) == ("DELETE", 200)


def test_field_with_a_message_is_announced_when_its_value_changed(
    phone: SimulatedIPhone, service: Service, chain: WalletChain
) -> None:
    for balance in ("1", "1", "2"):
        service.put(a_pass(chain, balance=balance))
        phone.wake()

    assert phone.announced == ["You have 1 stamps", "You have 2 stamps"]


def test_several_messages_at_once_are_one_line(service: Service, chain: WalletChain) -> None:
    def face(value: str) -> dict[str, object]:
        keys = ("a", "b", "c")
        return {"headerFields": [{"key": key, "value": value, "changeMessage": f"{key}: %@"} for key in keys]}

    phone = a_phone(service, chain)
    phone.add(a_pass(chain, storeCard=face("0")))
    service.put(a_pass(chain, storeCard=face("1")))

    phone.wake()

    assert phone.announced == ["Meri: 3 changes"]


def test_two_wake_ups_at_once_do_not_cross(phone: SimulatedIPhone, service: Service, chain: WalletChain) -> None:
    inside, crossed, gate = [0], [], threading.Barrier(4)
    carry = service.carry

    def watched(method: str, url: str, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
        inside[0] += 1
        crossed.append(inside[0])
        try:
            return carry(method, url, headers, body)
        finally:
            inside[0] -= 1

    def wake() -> None:
        gate.wait(5)
        phone.wake()

    phone.transport = watched
    service.put(a_pass(chain, balance="1"))
    threads = [threading.Thread(target=wake) for _thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert max(crossed) == 1
    assert phone.fields("one")["balance"] == "1"


class Http(LoopbackServer):
    """The service over real HTTP."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self.service = service

    def answer(self, request: Request) -> Reply:
        headers = {"Authorization": request.headers.get("authorization", "")}
        status, got, body = self.service.carry(request.method, SERVICE + request.path, headers, request.body)
        return Reply(status, body, dict(got))


def test_phone_speaks_http_on_loopback_by_itself(service: Service, chain: WalletChain) -> None:
    phone = SimulatedIPhone(lambda: "token", authority=chain.root)
    with Http(service) as http:
        phone.add(a_pass(chain, webServiceURL=http.base_url))
        service.put(a_pass(chain, balance="1", webServiceURL=http.base_url))
        phone.wake()

        assert service.registered == {"one": "token"}
        assert phone.fields("one")["balance"] == "1"
    service.put(a_pass(chain, balance="2"))
    phone.wake()

    assert phone.fields("one")["balance"] == "1"  # the service has gone


def test_phone_without_a_transport_speaks_to_loopback_only(service: Service, chain: WalletChain) -> None:
    phone = SimulatedIPhone(lambda: "token", authority=chain.root)

    held = phone.add(a_pass(chain, webServiceURL="https://wallet.example"))

    assert not held.registered
