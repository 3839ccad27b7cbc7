"""Google's REST as a protocol: tokens, upserts, and what each answer means. No database."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import jwt
import pytest

from app.core import clock
from app.core.outbound import Outbound
from app.fakes.loopback import Reply
from app.fakes.wallet_chain import WalletChain
from app.wallet.google import GoogleClient, NoToken, ServiceAccount, TokenSource, Upsert, Upserted
from tests.wallet.scripted_google import HOSTS, ScriptedGoogle, token

CARD = {"id": "3388.card", "classId": "3388.look", "state": "ACTIVE", "accountName": "Päivi Ö."}
LOOK = {"id": "3388.look", "issuerName": "Meri", "reviewStatus": "UNDER_REVIEW"}


@dataclass
class Side:
    """Our side of the protocol, and a Google that answers as told."""

    google: ScriptedGoogle
    outbound: Outbound
    account: ServiceAccount
    tokens: TokenSource
    client: GoogleClient

    def put(self, *upserts: Upsert) -> list[Upserted]:
        return self.client.upsert_many(upserts or [Upsert("loyalty", "object", CARD)])


@pytest.fixture
def side(chain: WalletChain) -> Iterator[Side]:
    account = ServiceAccount.load(chain.service_account, issuer_id="3388")
    with ScriptedGoogle() as google:
        outbound = Outbound(allowed=HOSTS, mapping=google.mapping)
        tokens = TokenSource(outbound, account)
        yield Side(google, outbound, account, tokens, GoogleClient(outbound, tokens))
        google.hang.set()
        outbound.close()


def test_token_is_asked_for_with_a_signed_assertion_of_an_hour(side: Side) -> None:
    assert side.tokens.token() == "token-1"

    [assertion] = side.google.assertions
    address = "https://oauth2.googleapis.com/token"
    claims = jwt.decode(assertion, side.account.key.public_key(), ["RS256"], audience=address)
    assert (claims["iss"], claims["scope"]) == (
        side.account.email,
        "https://www.googleapis.com/auth/wallet_object.issuer",
    )
    assert claims["exp"] - claims["iat"] <= 3600
    assert abs(claims["iat"] - clock.now().timestamp()) < 60


def test_token_serves_until_shortly_before_its_end_and_is_then_renewed(side: Side) -> None:
    side.put()
    with clock.moved(by=timedelta(minutes=54)):
        side.put()
    assert len(side.google.assertions) == 1

    with clock.moved(by=timedelta(seconds=3599 - 60)):
        [result] = side.put()

    assert result.accepted
    assert len(side.google.assertions) == 2
    assert side.google.calls[-1].headers["authorization"] == "Bearer token-2"


def test_many_threads_ask_for_one_token(side: Side) -> None:
    side.google.hang.clear()
    got: list[str] = []
    threads = [threading.Thread(target=lambda: got.append(side.tokens.token())) for _ in range(8)]
    for thread in threads:
        thread.start()

    side.google.hang.set()
    for thread in threads:
        thread.join(10)

    assert got == ["token-1"] * 8
    assert len(side.google.assertions) == 1


def test_token_that_google_stops_taking_is_renewed_and_only_what_was_refused_is_sent_again(side: Side) -> None:
    side.put()
    side.google.taken = lambda text: text != "token-1"
    side.google.calls.clear()

    results = side.put(Upsert("loyalty", "object", CARD), Upsert("loyalty", "class", LOOK))

    assert [result.outcome for result in results] == ["accepted", "accepted"]
    assert len(side.google.assertions) == 2
    assert sorted(side.google.made()) == ["PATCH loyaltyClass/3388.look"] * 2 + ["PATCH loyaltyObject/3388.card"] * 2


def test_account_whose_new_token_is_refused_too_is_misconfigured_and_not_asked_for_ever(side: Side) -> None:
    side.google.taken = lambda _text: False

    [result] = side.put()

    assert (result.outcome, result.reason) == ("misconfigured", "google_unauthorized")
    assert len(side.google.calls) == 2
    assert len(side.google.assertions) == 2


@pytest.mark.parametrize(
    ("reply", "outcome", "reason", "retry_after"),
    [
        (Reply.of_json(400, {"error": "invalid_grant"}), "misconfigured", "google_account_refused", None),
        (Reply.of_json(401, {"error": "invalid_client"}), "misconfigured", "google_account_refused", None),
        (Reply.of_json(429, {}, **{"Retry-After": "30"}), "retry", "google_unavailable", 30),
        (Reply(503, b"<html>"), "retry", "google_unavailable", None),
        (Reply(200, b"\xff not JSON"), "misconfigured", "google_account_refused", None),
        (Reply.of_json(200, {"access_token": 7, "expires_in": 3599}), "misconfigured", "google_account_refused", None),
        (token("x", lasts="soon"), "misconfigured", "google_account_refused", None),
    ],
)
def test_account_that_gets_no_token_is_told_in_each_result(
    side: Side, reply: Reply, outcome: str, reason: str, retry_after: float | None
) -> None:
    side.google.token = lambda _number: reply

    results = side.put(Upsert("loyalty", "object", CARD), Upsert("loyalty", "class", LOOK))

    assert [(each.outcome, each.reason, each.retry_after) for each in results] == [(outcome, reason, retry_after)] * 2
    assert side.google.calls == []


def test_token_of_no_length_serves_once_and_is_asked_for_again(side: Side) -> None:
    side.google.token = lambda number: token(f"token-{number}", lasts=0)

    assert [side.tokens.token(), side.tokens.token()] == ["token-1", "token-2"]


def test_what_is_there_is_patched_without_its_id_and_class(side: Side) -> None:
    [result] = side.put()

    assert side.google.made() == ["PATCH loyaltyObject/3388.card"]
    assert side.google.bodies() == [{"state": "ACTIVE", "accountName": "Päivi Ö."}]
    assert (result.outcome, result.has_users) == ("accepted", True)


def test_holder_is_told_only_when_asked_for_and_never_by_an_insert(side: Side) -> None:
    side.google.tell("PATCH loyaltyObject/3388.card", 200, 200, 404)

    for notify in (True, False, True):
        side.put(Upsert("loyalty", "object", CARD, notify))

    said = [body.get("notifyPreference") for body in side.google.bodies()]
    assert side.google.made()[-1] == "POST loyaltyObject"
    assert said == ["NOTIFY_ON_UPDATE", None, "NOTIFY_ON_UPDATE", None]


def test_what_is_not_there_is_inserted_whole(side: Side) -> None:
    side.google.tell("PATCH offerObject/3388.card", 404)

    [result] = side.put(Upsert("offer", "object", CARD))

    assert result.accepted
    assert side.google.made() == ["PATCH offerObject/3388.card", "POST offerObject"]
    assert side.google.bodies()[-1] == CARD


def test_what_somebody_else_inserted_meanwhile_is_patched(side: Side) -> None:
    side.google.tell("PATCH giftCardClass/3388.look", 404, 200)
    side.google.tell("POST giftCardClass", 409)

    [result] = side.put(Upsert("giftCard", "class", LOOK))

    assert result.accepted
    assert [call.split()[0] for call in side.google.made()] == ["PATCH", "POST", "PATCH"]


def test_each_of_many_has_its_own_result_in_their_order(side: Side) -> None:
    many = [Upsert("loyalty", "object", CARD | {"id": f"3388.{number}"}) for number in range(6)]
    side.google.tell("PATCH loyaltyObject/3388.1", 404)
    side.google.tell("PATCH loyaltyObject/3388.2", 400)
    side.google.tell("PATCH loyaltyObject/3388.3", 404)
    side.google.tell("POST loyaltyObject", 400, 400)  # in whatever order the two come
    side.google.tell("PATCH loyaltyObject/3388.4", 503)

    results = side.put(*many)

    assert [result.outcome for result in results] == [
        "accepted", "rejected", "rejected", "rejected", "retry", "accepted",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "outcome", "reason"),
    [
        (400, "rejected", "google_bad_request"),
        (403, "misconfigured", "google_forbidden"),
        (409, "rejected", "google_conflict"),
        (412, "rejected", "google_status_412"),
        (429, "throttled", "google_too_many_requests"),
        (500, "retry", "google_unavailable"),
        (503, "retry", "google_unavailable"),
        (Reply(302, b"", {"Location": "http://127.0.0.1:9/"}), "rejected", "google_status_302"),
    ],
)
def test_each_refusal_has_its_stable_reason(side: Side, reply: Reply | int, outcome: str, reason: str) -> None:
    side.google.tell("PATCH loyaltyObject/3388.card", reply)

    [result] = side.put()

    assert (result.outcome, result.reason) == (outcome, reason)
    assert len(side.google.calls) == 1


@pytest.mark.parametrize(
    ("header", "seconds"), [("120", 120), ("0", 0), ("soon", None), ("-1", None), ("9" * 9, 86_400)]
)
def test_pause_that_google_asks_for_is_read_and_nonsense_is_not(side: Side, header: str, seconds: float | None) -> None:
    reply = Reply.of_json(429, {}, **{"Retry-After": header})
    side.google.tell("PATCH loyaltyObject/3388.card", reply)

    [result] = side.put()

    assert (result.outcome, result.retry_after) == ("throttled", seconds)


@pytest.mark.parametrize("body", [b"", b"[]", b"[" * 60_000, b'{"hasUsers": "yes"}', b"\xff", b"{" + b" " * 100_000])
def test_accepted_stays_accepted_whatever_the_answer_holds(side: Side, body: bytes) -> None:
    side.google.tell("PATCH loyaltyObject/3388.card", Reply(200, body))

    [result] = side.put()

    assert result == Upserted("accepted", "google_accepted", has_users=None)


def test_google_that_falls_silent_or_is_gone_is_tried_again_later(side: Side) -> None:
    side.tokens.token()
    hasty = GoogleClient(side.outbound, side.tokens, seconds=0.3)
    side.google.hang.clear()
    [silent] = hasty.upsert_many([Upsert("loyalty", "object", CARD)])
    side.google.hang.set()
    side.google.stop()

    side.outbound.close()  # a kept connection would still be answered
    [gone] = side.put()

    assert [(each.outcome, each.reason) for each in (silent, gone)] == [
        ("retry", "google_answer_lost"), ("retry", "google_unreachable"),
    ]  # fmt: skip


def test_no_call_is_made_for_nothing(side: Side) -> None:
    assert side.client.upsert_many([]) == []
    assert side.google.assertions == []


def test_message_goes_to_its_object_and_an_odd_id_stays_one_part_of_the_address(side: Side) -> None:
    request: dict[str, Any] = {"message": {"id": "m1", "header": "Uutta", "body": "Kahvia", "messageType": "TEXT"}}

    result = side.client.add_message("loyalty", "object", "3388.a/b?c", request)

    assert result.accepted
    assert [unquote(call) for call in side.google.made()] == ["POST loyaltyObject/3388.a/b?c/addMessage"]
    assert "a/b" not in side.google.made()[0]
    assert side.google.bodies() == [request]


def test_no_token_key_or_assertion_is_ever_said(side: Side, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    side.put()
    side.google.token = lambda _number: Reply.of_json(400, {"error": "invalid_grant"})
    with pytest.raises(NoToken) as caught:
        side.tokens.token(refused="token-1")

    said = caplog.text + "".join(
        repr(each) for each in (caught.value, caught.value.__cause__, side.account, side.tokens, side.client)
    ) + repr(Upsert("loyalty", "object", CARD))  # fmt: skip

    for secret in ("token-1", *side.google.assertions, "Päivi", str(side.account.key.private_numbers().d)):
        assert secret not in said
