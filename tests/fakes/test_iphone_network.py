"""The simulated iPhone without network, with a service that fails, and over real HTTP."""

import threading

from app.fakes.iphone import SimulatedIPhone
from app.fakes.loopback import LoopbackServer, Reply, Request
from app.fakes.wallet_chain import PASS_TYPE_ID, WalletChain
from tests.fakes.phoneside import SERVICE, Headers, Service, a_pass, a_phone


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
    inside, crossed, gate, second = [0], [], threading.Barrier(4), threading.Event()
    carry = service.carry

    def watched(method: str, url: str, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
        inside[0] += 1
        crossed.append(inside[0])
        if inside[0] > 1:
            second.set()
        second.wait(0.05)  # room for another to come in, if the phone lets it
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
