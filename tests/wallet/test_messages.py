"""Messages on cards: service to everybody, marketing with its consent at send time; news by classes; one state each."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.core import clock
from app.core.db import Database
from app.core.settings import Settings
from app.fakes.loopback import Reply, Request
from app.fakes.wallet_chain import WalletChain
from app.members import consents
from app.members.models import Member, Wording
from app.wallet import messages
from app.wallet.models import WalletMessage, WalletPass
from tests.wallet.googleside import GoogleShop, google_shop
from tests.wallet.phoneside import Apple, apple, register, work
from tests.wallet.shop import Shop, fields_of

__all__ = ["apple"]
SOON = timedelta(seconds=2)


def consent(shop: Shop) -> None:
    """Let the member allow marketing on the card."""

    def give(session: Any) -> None:
        session.add(
            Wording(kind="consent.wallet.marketing", language="en", version=1, text="x", sha256="x", at=clock.now())
        )
        session.flush()
        consents.give(session, session.get_one(Member, shop.member_id), "wallet", wording=None, live=True)

    shop.change(give)


def send(shop: Shop, kind: str, purpose: str, **options: Any) -> int:
    def queue(session: Any) -> int:
        row = session.scalars(select(WalletPass).where(WalletPass.kind == kind)).one()
        words = {"header": "A day of cinnamon", "body": "Buns are half the price on Friday."}
        return messages.send(session, row, purpose=purpose, **{**words, **options}).id

    found: int = shop.change(queue)
    return found


def state(shop: Shop, message_id: int) -> str:
    with shop.runtime.database.reading(shop.brand_id) as session:
        return session.get_one(WalletMessage, message_id).state


@pytest.fixture
def at(database: Database, settings: Settings, chain: WalletChain) -> Iterator[GoogleShop]:
    with google_shop(database, settings, chain) as found:
        found.save(found.press())
        yield found


def test_marketing_goes_only_to_who_allowed_it_and_ends_skipped_else(at: GoogleShop) -> None:
    refused = send(at.shop, "google", "marketing")
    at.work()
    assert state(at.shop, refused) == "skipped:no_consent"
    assert "messages" not in at.card()

    consent(at.shop)
    sent = send(at.shop, "google", "marketing")
    at.work()

    assert state(at.shop, sent) == "sent"
    (message,) = at.card()["messages"]
    assert (message["header"], message["messageType"]) == ("A day of cinnamon", "TEXT_AND_NOTIFY")


def test_consent_withdrawn_before_it_is_sent_stops_it(at: GoogleShop) -> None:
    consent(at.shop)
    queued = send(at.shop, "google", "marketing")
    at.shop.change(lambda session: consents.withdraw(session, session.get_one(Member, at.shop.member_id), "wallet"))

    at.work()

    assert state(at.shop, queued) == "skipped:no_consent"


def test_service_message_needs_no_consent(at: GoogleShop) -> None:
    sent = send(at.shop, "google", "service")
    at.work()
    assert state(at.shop, sent) == "sent"


def test_message_waits_while_google_is_down_and_fails_when_its_time_is_over(at: GoogleShop) -> None:
    waiting, short = send(at.shop, "google", "service"), send(at.shop, "google", "service", lasts=timedelta(minutes=1))
    at.google.tell(503, times=99, path="addMessage")
    at.work()
    assert (state(at.shop, waiting), state(at.shop, short)) == ("queued", "queued")
    at.google.tell_nothing()

    with at.moved(timedelta(minutes=10)):
        at.work()

    assert (state(at.shop, waiting), state(at.shop, short)) == ("sent", "skipped:expired")


def test_message_that_was_being_sent_when_the_worker_died_is_uncertain_and_not_sent_again(at: GoogleShop) -> None:
    message_id = send(at.shop, "google", "service")
    at.shop.change(lambda session: setattr(session.get_one(WalletMessage, message_id), "state", "sending"))

    at.work()

    assert state(at.shop, message_id) == "uncertain"
    assert "messages" not in at.card()


def test_message_whose_answer_got_lost_is_uncertain_and_not_sent_again(
    at: GoogleShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = send(at.shop, "google", "service")
    answer = at.google.answer

    def cut(request: Request) -> Reply:
        reply = answer(request)
        if request.path.endswith("addMessage"):
            raise ConnectionAbortedError  # Google took it, and the line broke before its answer
        return reply

    monkeypatch.setattr(at.google, "answer", cut)
    at.work()
    monkeypatch.undo()
    with at.moved(timedelta(minutes=10)):
        at.work()

    assert state(at.shop, message_id) == "uncertain"
    assert len(at.card()["messages"]) == 1


def test_messages_stay_within_the_budget_of_notifications(at: GoogleShop) -> None:
    for _number in range(4):
        send(at.shop, "google", "service")
        at.work()

    kinds = [message["messageType"] for message in at.card()["messages"]]
    assert kinds == ["TEXT_AND_NOTIFY", "TEXT_AND_NOTIFY", "TEXT", "TEXT"]
    assert at.google.wallet.over_budget == []


def test_service_news_reaches_every_holder_by_the_class_once(at: GoogleShop) -> None:
    def publish(session: Any) -> None:
        texts = {"en": "Closed on Friday", "fi": "Suljettu perjantaina"}
        messages.publish(session, header=texts, body=texts, ends_at=clock.now() + timedelta(days=2))

    at.shop.change(publish)
    at.work()
    at.work()

    (klass,) = at.google.classes.values()
    (message,) = klass["messages"]
    assert message["localizedBody"]["translatedValues"] == [{"language": "fi", "value": "Suljettu perjantaina"}]


def test_apples_card_shows_the_message_and_the_phone_is_woken(shop: Shop, apple: Apple) -> None:
    register(shop, shop.apple())
    work(shop)
    apple.woken.clear()
    message_id = send(shop, "apple", "service")

    with clock.moved(by=SOON):
        work(shop)
        with clock.moved(by=SOON):
            work(shop)

    assert state(shop, message_id) == "shown"
    assert len(apple.woken) == 1
    assert fields_of(shop.apple())["message"] == "A day of cinnamon\nBuns are half the price on Friday."


def test_marketing_leaves_apples_card_when_its_consent_is_withdrawn(shop: Shop, apple: Apple) -> None:
    register(shop, shop.apple())
    consent(shop)
    send(shop, "apple", "marketing")
    work(shop)
    assert "message" in fields_of(shop.apple())

    shop.change(lambda session: consents.withdraw(session, session.get_one(Member, shop.member_id), "wallet"))

    assert "message" not in fields_of(shop.apple())


@pytest.mark.parametrize("wrong", [{"header": ""}, {"body": "x" * 501}, {"lasts": timedelta()}, {"header": "x" * 61}])
def test_message_with_a_fault_is_refused(shop: Shop, wrong: dict[str, Any]) -> None:
    shop.apple()

    with pytest.raises(messages.MessageInvalid):
        send(shop, "apple", "service", **wrong)


def test_message_of_another_purpose_is_refused(shop: Shop) -> None:
    shop.apple()

    with pytest.raises(messages.MessageInvalid):
        send(shop, "apple", "spam")
