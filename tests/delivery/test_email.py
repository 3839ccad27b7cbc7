"""Email on a real SMTP server: what arrives, what never gets into a header, and what the relay's answers mean."""

import datetime
import email
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from app.delivery import email as channel
from app.delivery.channel import Envelope
from app.delivery.email import EmailError, SmtpChannel, SmtpServer
from app.fakes.mail import FakeMail
from app.fakes.store import OutboxStore
from tests.certificates import self_signed

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
SENDER = "Meri Paahtimo <no-reply@leima.example>"


def an_envelope(**more: Any) -> Envelope:
    given: dict[str, Any] = {
        "reference": "01jmessage",
        "to": "aino@example.com",
        "title": "Kirjautumiskoodi 123456 – 4,60\xa0€ ☕",
        "text": "Hei Äino!\n\nKoodisi on 123456.\n.\nhttps://leima.example/meri/m/" + "x" * 1500,
        "html": "<p>Hei Äino! <b>123456</b></p>",
        "language": "fi",
    }
    return Envelope(**{**given, **more})


def built(**more: Any) -> email.message.EmailMessage:
    raw = channel.build(an_envelope(**more), sender=channel.read_address(SENDER), now=NOON).as_bytes()
    return email.message_from_bytes(raw, policy=default)


@pytest.fixture
def store() -> OutboxStore:
    return OutboxStore()


@pytest.fixture
def relay(store: OutboxStore) -> Iterator[FakeMail]:
    with FakeMail(store) as fake:
        yield fake


@pytest.fixture
def smtp(relay: FakeMail) -> Iterator[SmtpChannel]:
    with SmtpChannel(SmtpServer.from_url(relay.url), sender=SENDER) as made:
        yield made


def test_mail_arrives_with_both_parts_whole(smtp: SmtpChannel, store: OutboxStore) -> None:
    (result,) = smtp.send_batch([an_envelope()])

    assert (result.reference, result.outcome, result.detail) == ("01jmessage", "accepted", "")
    (came,) = store.newest("email")
    assert (came.to, came.title) == ("aino@example.com", an_envelope().title)
    assert came.text.rstrip("\n") == an_envelope().text
    assert came.html.rstrip("\n") == an_envelope().html
    assert (came.facts["sender"], came.facts["from"]) == ("no-reply@leima.example", SENDER)


def test_headers_are_those_of_a_service_message_and_the_body_is_seven_bit() -> None:
    message = channel.build(an_envelope(), sender=channel.read_address(SENDER), now=NOON)
    raw = message.as_bytes()

    assert message["Message-ID"] == "<01jmessage@leima.example>"
    assert message["Date"] == "Sun, 01 Mar 2026 12:00:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "fi"
    assert "List-Unsubscribe" not in message
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    assert raw.replace(b"\r\n", b"").count(b"\n") == 0


def test_text_alone_is_one_part() -> None:
    assert built(html="").get_content_type() == "text/plain"
    assert built().get_content_type() == "multipart/alternative"


def test_marketing_mail_can_be_unsubscribed_from_with_one_click() -> None:
    message = built(unsubscribe="https://leima.example/u/token")

    assert message["List-Unsubscribe"] == "<https://leima.example/u/token>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Hello\r\nBcc: everyone@example.com"},
        {"title": "Hello\nBcc: everyone@example.com"},
        {"title": "Hello\rBcc: everyone@example.com"},
        {"title": "Hello\x00"},
        {"title": "Hello\u2028Bcc: x@example.com"},
        {"title": "half a sign \ud83d"},
        {"text": "half a sign \ud83d"},
        {"to": "aino@example.com\r\nBcc: everyone@example.com"},
        {"to": "aino@example.com, everyone@example.com"},
        {"to": "Aino <aino@example.com>, everyone@example.com"},
        {"to": "friends: aino@example.com;"},
        {"to": "aino@example.com> SIZE=1"},
        {"to": "aino"},
        {"to": "@example.com"},
        {"to": "aino@"},
        {"to": "aino@@example.com"},
        {"to": "ai no@example.com"},
        {"to": ""},
        {"reference": "x>\r\nBcc: everyone@example.com"},
        {"unsubscribe": "https://leima.example/\r\nBcc: everyone@example.com"},
        {"unsubscribe": "https://leima.example/>, <https://evil.example/"},
        {"unsubscribe": "mailto:a@leima.example"},
    ],
)
def test_what_could_add_a_header_or_a_recipient_is_rejected_and_the_rest_of_the_batch_goes(
    smtp: SmtpChannel, store: OutboxStore, change: dict[str, str]
) -> None:
    bad, good = smtp.send_batch([an_envelope(**change), an_envelope(reference="next")])

    assert (bad.outcome, good.outcome) == ("rejected", "accepted")
    assert len(store.newest()) == 1


def test_name_and_foreign_domain_are_written_as_mail_wants_them() -> None:
    assert channel.read_address("Aino <aino@mäki.fi>").addr_spec == "aino@xn--mki-qla.fi"
    assert built(to='"Åström, Å" <a@example.com>')["To"].addresses[0].display_name == "Åström, Å"


def test_address_that_is_not_ascii_arrives_where_the_relay_takes_it(smtp: SmtpChannel, store: OutboxStore) -> None:
    (result,) = smtp.send_batch([an_envelope(to="äino@example.com")])

    assert result.outcome == "accepted"
    assert [came.to for came in store.newest()] == ["äino@example.com"]


def test_batches_share_one_connection_up_to_its_cap(relay: FakeMail) -> None:
    with SmtpChannel(SmtpServer.from_url(relay.url), sender=SENDER, per_connection=3) as smtp:
        smtp.send_batch([an_envelope()])
        smtp.send_batch([an_envelope()])
        assert relay.connections == 1

        results = smtp.send_batch([an_envelope()] * 4)

    assert {result.outcome for result in results} == {"accepted"}
    assert relay.connections == 2


def test_relay_that_came_back_is_used_without_losing_a_message(store: OutboxStore) -> None:
    relay = FakeMail(store).start()
    port = relay.port
    smtp = SmtpChannel(SmtpServer("127.0.0.1", port, "plain"), sender=SENDER)
    smtp.send_batch([an_envelope()])
    relay.stop()

    (down,) = smtp.send_batch([an_envelope()])
    with FakeMail(store, port=port):
        (back,) = smtp.send_batch([an_envelope()])
        smtp.close()

    assert (down.outcome, down.uncertain, back.outcome) == ("retry", False, "accepted")
    assert len(store.newest()) == 2


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("550 5.1.1 no such user", "gone"),
        ("550 5.2.1 mailbox disabled", "gone"),
        ("554 5.7.26 policy", "rejected"),
        ("550 5.7.1 relaying denied", "misconfigured"),
        ("530 5.7.0 authentication required", "misconfigured"),
        ("450 4.2.0 greylisted", "retry"),
        ("452 4.2.2 mailbox full", "retry"),
        ("451 4.7.1 slow down", "throttled"),
        ("421 4.3.2 closing", "throttled"),
    ],
)
def test_refused_recipient_says_what_to_do_and_the_next_one_is_served(
    relay: FakeMail, smtp: SmtpChannel, answer: str, outcome: str
) -> None:
    relay.refuse("aino@example.com", answer)

    refused, served = smtp.send_batch([an_envelope(), an_envelope(to="eino@example.com")])

    assert (refused.outcome, served.outcome) == (outcome, "accepted")
    assert "aino" not in refused.detail
    assert refused.retry_after == (60 if outcome == "throttled" else None)


class _Silent(socketserver.StreamRequestHandler):
    """A relay that takes the whole message and hangs up without an answer."""

    def handle(self) -> None:
        self.wfile.write(b"220 hello\r\n")
        for line in self.rfile:
            if line.upper().startswith(b"DATA"):
                self.wfile.write(b"354 go on\r\n")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                return
            self.wfile.write(b"250 ok\r\n")


def test_relay_that_falls_silent_after_the_whole_message_leaves_it_uncertain() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), _Silent) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        smtp = SmtpChannel(SmtpServer("127.0.0.1", server.server_address[1], "plain"), sender=SENDER)

        (result,) = smtp.send_batch([an_envelope()])

        server.shutdown()
        thread.join()
    assert (result.outcome, result.uncertain) == ("retry", True)


def test_relay_that_is_down_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    results = SmtpChannel(SmtpServer("127.0.0.1", port, "plain"), sender=SENDER).send_batch([an_envelope()] * 2)

    assert [(result.outcome, result.uncertain) for result in results] == [("retry", False)] * 2


def test_starttls_is_used_when_asked_for_and_its_certificate_checked(store: OutboxStore, tmp_path: Path) -> None:
    pem, server_side = self_signed("127.0.0.1", tmp_path)
    client_side = ssl.create_default_context(cadata=pem.decode())
    with FakeMail(store, tls=server_side) as relay:
        server = SmtpServer.from_url(relay.url)
        plain = SmtpServer("127.0.0.1", relay.port, "plain")
        with SmtpChannel(server, sender=SENDER, tls=client_side) as trusting:
            (sent,) = trusting.send_batch([an_envelope()])
        with SmtpChannel(server, sender=SENDER) as strict:
            (refused,) = strict.send_batch([an_envelope()])
        with SmtpChannel(plain, sender=SENDER) as open_mail:
            (unprotected,) = open_mail.send_batch([an_envelope()])

    assert (sent.outcome, refused.outcome, unprotected.outcome) == ("accepted", "misconfigured", "misconfigured")
    assert [came.facts["tls"] for came in store.newest()] == [True]


def test_starttls_that_the_relay_does_not_offer_is_no_reason_to_send_in_the_open(
    relay: FakeMail, store: OutboxStore
) -> None:
    with SmtpChannel(SmtpServer("127.0.0.1", relay.port, "starttls"), sender=SENDER) as smtp:
        (result,) = smtp.send_batch([an_envelope()])

    assert result.outcome == "misconfigured"
    assert store.newest() == []


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", SmtpServer("mail.example", 25, "plain")),
        ("smtp://mail.example:2525?starttls=1", SmtpServer("mail.example", 2525, "starttls")),
        ("smtps://us%40er:p%3Aw@mail.example", SmtpServer("mail.example", 465, "ssl", "us@er", "p:w")),
        ("smtp://u:p@127.0.0.1:25", SmtpServer("127.0.0.1", 25, "plain", "u", "p")),
    ],
)
def test_address_of_the_relay_is_read(url: str, server: SmtpServer) -> None:
    assert SmtpServer.from_url(url) == server
    assert "p:w" not in repr(server)


@pytest.mark.parametrize("url", ["", "mail.example", "http://mail.example", "smtp://", "smtp://u:p@mail.example"])
def test_address_of_a_relay_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="smtp"):
        SmtpServer.from_url(url)


def test_sender_that_is_no_address_is_refused_at_the_start() -> None:
    with pytest.raises(EmailError):
        SmtpChannel(SmtpServer("127.0.0.1", 25, "plain"), sender="Leima")
