"""The fake push service is as strict as Apple's, answers as told, and leaves nothing behind."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.core.outbound import Answer, Identity, Outbound
from app.fakes.apns import ORIGIN, FakeApns
from app.fakes.store import OutboxStore
from app.fakes.wallet_chain import PASS_TYPE_ID, WalletChain, wallet_chain
from app.wallet import apns
from tests.fakes.apnsside import Answered, RawClient, raw_client

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def store() -> OutboxStore:
    return OutboxStore()


@pytest.fixture
def fake(chain: WalletChain, store: OutboxStore) -> Iterator[FakeApns]:
    with FakeApns(chain.wwdr + chain.root, store=store, now=lambda: NOW) as service:
        yield service


@pytest.fixture
def client(fake: FakeApns, chain: WalletChain, tmp_path: Path) -> Iterator[RawClient]:
    with raw_client(fake, chain, tmp_path) as raw:
        yield raw


@pytest.fixture
def outbound(fake: FakeApns) -> Iterator[Outbound]:
    found = Outbound(allowed=["api.push.apple.com"], mapping=fake.mapping, roots=[fake.root])
    yield found
    found.close()


@pytest.fixture
def wake(outbound: Outbound, chain: WalletChain) -> Callable[..., apns.Wake]:
    """Wake a phone as the wallet does."""

    def send(token: str, topic: str = PASS_TYPE_ID, shown: WalletChain = chain) -> apns.Wake:
        (answer,) = outbound.request_many([apns.wake_up(token, topic, identity_of(shown))])
        return apns.classify(answer)

    return send


def identity_of(chain: WalletChain) -> Identity:
    return Identity(chain.certificate + chain.wwdr, chain.key)


def reason(answer: Answered) -> str:
    return str(json.loads(answer.body)["reason"])


def test_good_wake_up_is_taken_and_the_phone_hears_of_it(fake: FakeApns, wake: Callable[..., apns.Wake]) -> None:
    heard = threading.Event()
    token = fake.token("Aino's iPhone", heard.set)

    assert wake(token).outcome == "accepted"

    assert heard.wait(5)
    (taken,) = fake.received
    assert (taken.token, taken.topic, taken.at) == (token, PASS_TYPE_ID, NOW)


def test_outbox_shows_the_wake_up_but_never_the_token(
    fake: FakeApns, store: OutboxStore, wake: Callable[..., apns.Wake]
) -> None:
    token = fake.token("Aino's iPhone")

    wake(token)

    arrival = store.wait_for(lambda one: one.kind == "wallet")
    assert arrival.to == "Aino's iPhone"
    assert token not in repr(arrival) + repr(fake.received)


def test_phone_that_breaks_keeps_no_other_from_hearing(fake: FakeApns, wake: Callable[..., apns.Wake]) -> None:
    def broken() -> None:
        raise RuntimeError

    heard = threading.Event()
    first, second = fake.token("broken", broken), fake.token("good", heard.set)

    wake(first)
    wake(second)

    assert heard.wait(5)


@pytest.mark.parametrize(
    ("given", "status", "word"),
    [
        ({"method": "GET"}, 405, "MethodNotAllowed"),
        ({"path": "/4/device/{token}"}, 404, "BadPath"),
        ({"path": "/3/device/"}, 400, "MissingDeviceToken"),
        ({"path": "/3/device/not-hex"}, 400, "BadDeviceToken"),
        ({"path": "/3/device/" + "ab" * 101}, 400, "BadDeviceToken"),
        ({"path": "/3/device/" + "ab" * 32}, 400, "BadDeviceToken"),
        ({"topic": None}, 400, "MissingTopic"),
        ({"topic": ""}, 400, "MissingTopic"),
        ({"topic": "pass.fi.someone.else"}, 400, "TopicDisallowed"),
        ({"more": [("apns-topic", PASS_TYPE_ID)]}, 400, "DuplicateHeaders"),
        ({"more": [("apns-id", "12")]}, 400, "BadMessageId"),
        ({"body": b""}, 400, "PayloadEmpty"),
        ({"body": b"hello"}, 400, "PayloadEmpty"),
        ({"body": b"[]"}, 400, "PayloadEmpty"),
        ({"body": json.dumps({"x": "y" * 5120}).encode()}, 413, "PayloadTooLarge"),
        ({"body": b"x" * 300_000}, 413, "PayloadTooLarge"),
    ],
    ids=[
        "GET", "another path", "no token", "no hex", "too long a token", "a token of nobody", "no topic",
        "an empty topic", "another topic", "a topic twice", "an id that is none", "no body", "no JSON", "a list",
        "over 5 KB", "over every window",
    ],
)  # fmt: skip
def test_call_that_apple_refuses_is_refused_in_apples_words(
    given: dict[str, Any], status: int, word: str, fake: FakeApns, client: RawClient
) -> None:
    asked = {"path": "/3/device/{token}", "topic": PASS_TYPE_ID, **given}

    answer = client.ask(asked.pop("path").format(token=fake.token()), **asked)

    assert (answer.status, reason(answer)) == (status, word)
    assert len(answer.headers["apns-id"]) == (2 if ("apns-id", "12") in given.get("more", ()) else 36)
    assert fake.received == []


def test_token_counts_in_either_case_and_the_clients_own_id_comes_back(fake: FakeApns, client: RawClient) -> None:
    own = "EC1BF194-B3B2-424A-89D3-6D1E0E0E7E0A"

    answer = client.ask(f"/3/device/{fake.token().upper()}", topic=PASS_TYPE_ID, more=[("apns-id", own)])

    assert (answer.status, answer.body, answer.headers["apns-id"]) == (200, b"", own)


def test_token_that_ended_is_gone_since_then(fake: FakeApns, wake: Callable[..., apns.Wake]) -> None:
    token = fake.token()
    fake.forget(token)

    assert wake(token) == apns.Wake("gone", "apns_unregistered", gone_since=NOW)
    assert fake.received == []


@pytest.mark.parametrize(
    ("status", "word", "expected"),
    [
        (429, "TooManyRequests", apns.Wake("throttled", "apns_too_many_requests", retry_after=30)),
        (503, "ServiceUnavailable", apns.Wake("retry", "apns_service_unavailable", retry_after=30)),
        (400, "BadDeviceToken", apns.Wake("gone", "apns_bad_device_token", retry_after=30)),
        (403, "BadCertificate", apns.Wake("misconfigured", "apns_bad_certificate", retry_after=30)),
        (410, "Unregistered", apns.Wake("gone", "apns_unregistered", retry_after=30, gone_since=NOW)),
    ],
)
def test_service_answers_as_told_so_often_and_then_as_usual(
    status: int, word: str, expected: apns.Wake, fake: FakeApns, wake: Callable[..., apns.Wake]
) -> None:
    token, other = fake.token(), fake.token()
    fake.tell(token, status, word, times=2, retry_after=30)

    answers = [wake(token), wake(other), wake(token), wake(token)]

    assert answers == [
        expected,
        apns.Wake("accepted", "apns_accepted"),
        expected,
        apns.Wake("accepted", "apns_accepted"),
    ]


def test_what_was_told_for_any_phone_counts_for_all_until_it_is_taken_back(
    fake: FakeApns, wake: Callable[..., apns.Wake]
) -> None:
    fake.tell(None, 503, "Shutdown", times=100)
    told = [wake(fake.token()).reason, wake(fake.token()).reason]

    fake.tell_nothing()

    assert told == ["apns_shutdown"] * 2
    assert wake(fake.token()).outcome == "accepted"


def test_outage_ends_on_the_same_port(fake: FakeApns, wake: Callable[..., apns.Wake]) -> None:
    token, before = fake.token(), fake.mapping[ORIGIN]
    wake(token)

    fake.down()
    during = wake(token)
    fake.up()

    assert during == apns.Wake("retry", "apns_unreachable")
    assert wake(token).outcome == "accepted"
    assert (fake.mapping[ORIGIN], len(fake.received), fake.connections) == (before, 2, 2)


def test_waiting_for_a_wake_up_ends_when_it_comes_or_when_the_time_is_up(
    fake: FakeApns, wake: Callable[..., apns.Wake]
) -> None:
    token = fake.token()
    with pytest.raises(TimeoutError):
        fake.wait_for(lambda taken: bool(taken), seconds=0.01)
    sender = threading.Thread(target=wake, args=(token,))
    sender.start()

    taken = fake.wait_for(lambda taken: [one.token for one in taken] == [token])

    sender.join()
    assert len(taken) == 1


def test_client_that_does_not_speak_http_2_is_hung_up_on(fake: FakeApns, chain: WalletChain, tmp_path: Path) -> None:
    with raw_client(fake, chain, tmp_path, protocol="http/1.1") as client:
        client.until_it_hangs_up()

    assert client.streams_allowed == 0  # it was not even greeted


def test_thousand_streams_at_once_are_offered(client: RawClient, fake: FakeApns) -> None:
    client.ask(f"/3/device/{fake.token()}", topic=PASS_TYPE_ID)

    assert client.streams_allowed == 1000


def test_answers_wait_for_room_in_the_clients_window(fake: FakeApns, chain: WalletChain, tmp_path: Path) -> None:
    with raw_client(fake, chain, tmp_path, window=10) as client:
        stream = client.send("/3/device/" + "ab" * 32, topic=PASS_TYPE_ID)
        while len(client.answers[stream].body) < 10:
            client.take(acknowledge=False)
        before = client.answers[stream].body, client.answers[stream].ended

        client.http.increment_flow_control_window(100, stream)
        client.flush()
        while not client.answers[stream].ended:
            client.take()

        assert before == (b'{"reason":', False)
        assert reason(client.answers[stream]) == "BadDeviceToken"
        assert client.ask(f"/3/device/{fake.token()}", topic=PASS_TYPE_ID).status == 200


def test_client_that_gives_a_request_up_keeps_its_connection(fake: FakeApns, client: RawClient) -> None:
    stream = client.http.get_next_available_stream_id()
    headers = [(":method", "POST"), (":path", "/3/device/" + "ab" * 32), (":scheme", "https"), (":authority", "x")]
    client.http.send_headers(stream, headers, end_stream=True)
    client.http.reset_stream(stream)  # both go out in one packet
    client.flush()

    assert client.ask(f"/3/device/{fake.token()}", topic=PASS_TYPE_ID).status == 200
    assert fake.connections == 1


def test_service_that_ends_says_good_bye_and_leaves_no_thread(chain: WalletChain, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    fake = FakeApns(chain.wwdr + chain.root).start()
    with raw_client(fake, chain, tmp_path) as client:
        client.ask(f"/3/device/{fake.token()}", topic=PASS_TYPE_ID)
        stopping = threading.Thread(target=fake.stop)
        stopping.start()
        client.until_it_hangs_up()
        assert client.goodbye
    stopping.join(5)

    fake.stop()  # a second time changes nothing
    assert set(threading.enumerate()) == before


def test_answer_is_read_with_all_its_headers(fake: FakeApns, outbound: Outbound, chain: WalletChain) -> None:
    fake.tell(None, 429, "TooManyRequests", retry_after=7)

    (answer,) = outbound.request_many([apns.wake_up(fake.token(), PASS_TYPE_ID, identity_of(chain))])

    assert isinstance(answer, Answer)
    assert (answer.status, answer.headers["retry-after"], len(answer.headers["apns-id"])) == (429, "7", 36)


def test_certificate_of_another_authority_is_not_let_in(
    fake: FakeApns, wake: Callable[..., apns.Wake], tmp_path: Path
) -> None:
    token = fake.token()
    assert wake(token, shown=wallet_chain(tmp_path / "other")) == apns.Wake("retry", "apns_unreachable")
    assert fake.received == []
    assert wake(token).outcome == "accepted"


def test_thousand_wake_ups_share_one_connection(fake: FakeApns, outbound: Outbound, chain: WalletChain) -> None:
    answers = outbound.request_many([apns.wake_up(fake.token(), PASS_TYPE_ID, identity_of(chain))] * 1000)
    assert {apns.classify(answer).outcome for answer in answers} == {"accepted"}
    assert (len(fake.received), fake.connections) == (1000, 1)
