"""Messages over the outbox, against the strict fakes: throttled, crashed, gone, and never an email twice."""

from typing import Any

import pytest

from app.core.db import keyring
from tests.builders import a_newcomer
from tests.delivery.post import Post, crash_after_sending
from tests.workbench import LEASE

MAIL, NUMBER = "aino@example.com", "+358401234567"


@pytest.mark.parametrize(("contact", "kind"), [(MAIL, "email"), (NUMBER, "sms")])
def test_code_is_sent_once(post: Post, contact: str, kind: str) -> None:
    post.join(contact)

    post.work()
    post.work(minutes=5)

    assert (post.arrivals(kind), post.messages(), post.waits()) == (1, [(kind, "sent")], [])


@pytest.mark.parametrize(("contact", "kind"), [(MAIL, "email"), (NUMBER, "sms")])
def test_message_found_sending_after_a_crash_is_uncertain_and_never_sent_twice(
    post: Post, monkeypatch: pytest.MonkeyPatch, contact: str, kind: str
) -> None:
    post.join(contact)
    crash_after_sending(post, monkeypatch)
    assert (post.arrivals(kind), post.messages()) == (1, [(kind, "sending")])

    post.work(seconds=LEASE.total_seconds() + 1)
    post.work(minutes=5)

    assert (post.arrivals(kind), post.messages(), post.waits()) == (1, [(kind, "uncertain")], [])


@pytest.mark.parametrize(("contact", "kind"), [(MAIL, "email"), (NUMBER, "sms")])
def test_message_after_a_sign_up_at_a_till_holds_the_link_and_no_digits(post: Post, contact: str, kind: Any) -> None:
    with post.unit() as session:
        joined = a_newcomer(session, contact, source="till", browser="")
        keys = keyring(session)
        digits, link = keys.text(joined.code.code), keys.text(joined.code.link)

    post.work()

    (arrival,) = post.store.newest(kind)
    assert f"/meri/confirm?token={link}" in arrival.text
    assert digits not in arrival.title + arrival.text + arrival.html


@pytest.mark.parametrize(("contact", "kind"), [(MAIL, "email"), (NUMBER, "sms")])
def test_message_for_a_browser_holds_the_digits(post: Post, contact: str, kind: Any) -> None:
    with post.unit() as session:
        digits = keyring(session).text(a_newcomer(session, contact).code.code)

    post.work()

    (arrival,) = post.store.newest(kind)
    assert digits in arrival.text


def test_throttled_email_waits_and_is_sent_later(post: Post) -> None:
    post.mail.refuse(MAIL, "451 4.7.1 slow down")
    post.join(MAIL)
    post.work()
    assert (post.arrivals(), post.messages()) == (0, [("email", "retry")])
    (wait,) = post.waits()
    assert 50 < wait <= 60

    post.work(seconds=30)
    assert post.arrivals() == 0
    post.mail.refuse(MAIL, "")
    post.work(seconds=61)

    assert (post.arrivals("email"), post.messages(), post.waits()) == (1, [("email", "sent")], [])


def test_throttled_sms_waits_as_long_as_the_gateway_asks_and_is_sent_once(post: Post) -> None:
    post.sms.tell(NUMBER, 429, retry_after="90")
    post.join(NUMBER)
    post.work()
    (wait,) = post.waits()
    assert (80 < wait <= 90, post.messages()) == (True, [("sms", "retry")])

    post.sms.tell(NUMBER, 0)
    assert post.work(seconds=80) == 0
    post.work(seconds=91)

    assert (post.arrivals("sms"), post.messages(), post.waits()) == (1, [("sms", "sent")], [])


def test_code_of_a_gateway_that_stays_down_expires_with_its_code(post: Post) -> None:
    post.sms.tell(NUMBER, 500)
    post.join(NUMBER)

    for minute in range(15):
        post.work(minutes=minute)

    assert (post.arrivals(), post.messages(), post.waits()) == (0, [("sms", "expired")], [])


def test_sms_without_an_answer_is_uncertain(post: Post) -> None:
    post.sms.tell(NUMBER, 504)
    post.join(NUMBER)
    post.work()

    post.sms.tell(NUMBER, 0)
    post.work(minutes=1)

    assert (post.arrivals(), post.messages()) == (0, [("sms", "uncertain")])
