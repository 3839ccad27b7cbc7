"""The wake-up that Apple gets, and how each of its answers is read."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core import clock
from app.core.outbound import AddressRefused, Answer, AnswerLost, Identity, NotReachable, NotResolved, OutboundError
from app.core.targets import read_target
from app.wallet.apns import Wake, classify, wake_up

IDENTITY = Identity(b"certificate", b"secret key")
TOPIC = "pass.fi.leima.demo"


def answer(status: int, body: bytes | str = b"", **headers: str) -> Answer:
    """Return an answer as `Outbound` gives it; a body that is a word is Apple's reason."""
    written = f'{{"reason": "{body}"}}'.encode() if isinstance(body, str) else body
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, written)


def test_wake_up_is_an_empty_object_to_the_token_under_the_pass_types_topic() -> None:
    request = wake_up("ab" * 32, TOPIC, IDENTITY)

    assert (request.method, request.body, request.identity) == ("POST", b"{}", IDENTITY)
    assert request.url == "https://api.push.apple.com/3/device/" + "ab" * 32
    assert request.headers["apns-topic"] == TOPIC


def test_wake_up_shows_neither_token_nor_key_when_it_is_printed() -> None:
    shown = repr(wake_up("ab" * 32, TOPIC, IDENTITY))

    assert not any(secret in shown for secret in ("abab", "secret", "certificate"))


@given(st.text(min_size=1, max_size=1000))
@example("😀" * 1000)
def test_whatever_a_phone_calls_its_token_is_one_part_of_a_good_address(token: str) -> None:
    request = wake_up(token, TOPIC, IDENTITY)

    target = read_target(request.url)
    assert target.host == "api.push.apple.com"
    assert target.rest.count("/") == 3
    assert "?" not in target.rest


def test_token_that_is_no_text_at_all_is_still_sent() -> None:
    assert wake_up("\ud800", TOPIC, IDENTITY).url.endswith("/3/device/%3F")


@pytest.mark.parametrize(
    ("status", "reason", "outcome", "code"),
    [
        (400, "BadDeviceToken", "gone", "apns_bad_device_token"),
        (410, "Unregistered", "gone", "apns_unregistered"),
        (410, "ExpiredToken", "gone", "apns_expired_token"),
        (400, "DeviceTokenNotForTopic", "rejected", "apns_device_token_not_for_topic"),
        (400, "BadTopic", "misconfigured", "apns_bad_topic"),
        (400, "MissingTopic", "misconfigured", "apns_missing_topic"),
        (400, "TopicDisallowed", "misconfigured", "apns_topic_disallowed"),
        (400, "BadCertificate", "misconfigured", "apns_bad_certificate"),
        (403, "BadCertificateEnvironment", "misconfigured", "apns_bad_certificate_environment"),
        (403, "Forbidden", "misconfigured", "apns_forbidden"),
        (403, "SomethingNew", "misconfigured", "apns_something_new"),
        (400, "PayloadEmpty", "rejected", "apns_payload_empty"),
        (400, "BadCollapseId", "rejected", "apns_bad_collapse_id"),
        (400, "UnrelatedKeyIdInToken", "rejected", "apns_unrelated_key_id_in_token"),
        (404, "BadPath", "rejected", "apns_bad_path"),
        (405, "MethodNotAllowed", "rejected", "apns_method_not_allowed"),
        (413, "PayloadTooLarge", "rejected", "apns_payload_too_large"),
        (400, "IdleTimeout", "retry", "apns_idle_timeout"),
        (429, "TooManyRequests", "throttled", "apns_too_many_requests"),
        (500, "InternalServerError", "retry", "apns_internal_server_error"),
        (503, "ServiceUnavailable", "retry", "apns_service_unavailable"),
        (503, "Shutdown", "retry", "apns_shutdown"),
    ],
)
def test_each_reason_of_apples_says_what_to_do_next(status: int, reason: str, outcome: str, code: str) -> None:
    wake = classify(answer(status, reason))

    assert (wake.outcome, wake.reason) == (outcome, code)


def test_two_hundred_is_accepted_whatever_it_says() -> None:
    assert classify(answer(200, b"<html>")) == Wake("accepted", "apns_accepted")


@pytest.mark.parametrize("status", [204, 302, 408, 502])
def test_answer_that_apple_does_not_give_loses_no_wake_up(status: int) -> None:
    assert classify(answer(status)).outcome == "retry"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotResolved("no address"), "apns_unreachable"),
        (NotReachable("down"), "apns_unreachable"),
        (AnswerLost("hung up"), "apns_unreachable"),
        (AddressRefused("leads into the private network"), "apns_not_sent"),
    ],
)
def test_wake_up_that_was_not_answered_is_tried_again(error: OutboundError, code: str) -> None:
    assert classify(error) == Wake("retry", code)


def test_gone_says_since_when_so_that_who_registered_later_is_kept() -> None:
    wake = classify(answer(410, b'{"reason": "Unregistered", "timestamp": 1764072000123}'))

    assert wake.gone_since == datetime(2025, 11, 25, 12, 0, 0, 123000, tzinfo=UTC)


@pytest.mark.parametrize("stamp", ["null", "true", '"1764072000000"', "-1", "0", "1e30", "1e999", "NaN", "[1]"])
def test_gone_with_a_stamp_that_is_no_moment_says_nothing_about_since_when(stamp: str) -> None:
    wake = classify(answer(410, f'{{"reason": "Unregistered", "timestamp": {stamp}}}'.encode()))

    assert (wake.outcome, wake.gone_since) == ("gone", None)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("0", 0), ("30", 30), (" 120 ", 120), ("99999999999999999999", 86_400), ("-5", None), ("soon", None), ("", None)],
)
def test_wait_is_as_long_as_apple_asks_for_but_never_longer_than_a_day(header: str, seconds: float | None) -> None:
    assert classify(answer(503, "ServiceUnavailable", retry_after=header)).retry_after == seconds


def test_wait_may_be_given_as_a_date() -> None:
    with clock.moved(to=datetime(2026, 11, 24, 12, 0, tzinfo=UTC)):
        wake = classify(answer(429, "TooManyRequests", retry_after="Tue, 24 Nov 2026 12:05:00 GMT"))
        past = classify(answer(429, "TooManyRequests", retry_after="Tue, 24 Nov 2026 11:00:00 GMT"))

    assert wake.retry_after == pytest.approx(timedelta(minutes=5).total_seconds(), abs=2)
    assert past.retry_after == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"[]", b"null", b'{"reason": 1}', b'{"reason": "a b; drop\\n"}', b"[" * 100_000,
     b'{"reason": "' + b"x" * 50 + b'"}'],
    ids=["empty", "no text", "list", "null", "number", "no word", "deep", "long"],
)  # fmt: skip
def test_body_that_holds_no_word_of_apples_leaves_the_status_to_speak(body: bytes) -> None:
    assert classify(answer(400, body)) == Wake("rejected", "apns_status_400")


@given(st.integers(100, 599), st.binary(max_size=200), st.text(max_size=20))
def test_no_answer_breaks_the_reader(status: int, body: bytes, wait: str) -> None:
    wake = classify(answer(status, body, retry_after=wait))

    assert wake.reason.startswith("apns_")
    assert len(wake.reason) <= 60
