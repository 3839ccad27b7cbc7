"""Email over SMTP: a text and an HTML part, one kept connection, nothing of a message in a header unchecked.

Source: messages.md, "Email"; RFC 5321, 5322, 8058.
"""

import smtplib
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import NonASCIILocalPartDefect
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from types import TracebackType
from typing import Literal, Self
from unicodedata import category
from urllib.parse import parse_qs, unquote, urlsplit

from app.core import clock
from app.delivery.channel import PAUSE_SECONDS, Envelope, Outcome, Result

Security = Literal["plain", "starttls", "ssl"]
TIMEOUT = 20  # seconds for each step of the conversation
PER_CONNECTION = 100  # messages, then a new connection: relays count
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_IN_NO_HEADER = frozenset(("Cc", "Cs", "Zl", "Zp"))  # Unicode categories: controls, line breaks, halves of signs


class EmailError(ValueError):
    """This cannot be written as an email."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A relay and how to speak to it."""

    host: str
    port: int = 587
    security: Security = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.user and self.security == "plain" and self.host not in _LOOPBACK:
            raise ValueError("a password is not sent over a plain connection: use smtps:// or ?starttls=1")

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Read `smtp://user:password@host:port`; `smtps://` is TLS, `?starttls=1` upgrades. Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("must be smtp://host:port or smtps://host:port")
        upgrades = parse_qs(parts.query).get("starttls", ["0"])[-1] == "1"
        security: Security = "ssl" if parts.scheme == "smtps" else "starttls" if upgrades else "plain"
        usual = {"ssl": 465, "starttls": 587, "plain": 25}[security]
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, parts.port or usual, security, user, password)


def read_address(text: str) -> Address:
    """Read `Name <local@domain>` or `local@domain`.

    Raises:
        EmailError: it is not one address, or holds a line break or another control character.
    """
    _refuse_controls(text)
    try:
        header = SMTP.header_factory("To", text)
        found = header.addresses
        # Domains travel in ASCII; a local part that is not is left to relays that take it.
        domain = found[0].domain.encode("idna").decode()
        faults = [fault for fault in header.defects if not isinstance(fault, NonASCIILocalPartDefect)]
        named = [group for group in header.groups if group.display_name]
        if len(found) != 1 or faults or named or not found[0].username or not domain:
            raise EmailError("not one email address")
        return Address(found[0].display_name, found[0].username, domain)
    except EmailError:
        raise
    except (ValueError, LookupError, AttributeError) as error:  # the parser of the standard library trips over some
        raise EmailError("not one email address") from error


def build(envelope: Envelope, *, sender: Address, now: datetime) -> EmailMessage:
    """Write the message of an envelope.

    The parts are quoted-printable, so that no relay needs to change a byte that a signature covers.

    Raises:
        EmailError: the address, a header or the text cannot be written.
    """
    _refuse_controls(envelope.title, envelope.reference, envelope.unsubscribe)
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = read_address(envelope.to)
    message["Subject"] = envelope.title
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{envelope.reference}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    if envelope.unsubscribe:
        if not envelope.unsubscribe.startswith("https://") or set(envelope.unsubscribe) & set("<>, "):
            raise EmailError("the unsubscribe link is an https address")
        message["List-Unsubscribe"] = f"<{envelope.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    try:
        message.set_content(envelope.text, cte="quoted-printable")
        if envelope.html:
            message.add_alternative(envelope.html, subtype="html", cte="quoted-printable")
    except UnicodeError as error:
        raise EmailError("the text holds half a sign") from error
    message["Content-Language"] = envelope.language  # last: set_content drops every Content- header
    return message


class SmtpChannel:
    """Email through one relay over a kept connection; safe to share between threads, which then take turns."""

    def __init__(
        self,
        server: SmtpServer,
        *,
        sender: str,
        per_connection: int = PER_CONNECTION,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Args:
        sender: `Name <address>`.
        per_connection: messages after which a new connection is made.
        tls: what to trust; default: the machine's certificate authorities.

        Raises:
            EmailError: the sender is no address.
        """
        self._server = server
        self._sender = read_address(sender)
        self._per_connection = per_connection
        self._tls = tls or ssl.create_default_context()
        self._smtp: smtplib.SMTP | None = None
        self._sent = 0
        self._lock = threading.Lock()

    def send_batch(self, envelopes: Sequence[Envelope]) -> list[Result]:
        """Send one after the other. `uncertain` when the relay fell silent after it had the whole message."""
        with self._lock:
            return [self._send(envelope) for envelope in envelopes]

    def close(self) -> None:
        """Say goodbye to the relay; the next batch connects again."""
        with self._lock:
            self._drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _send(self, envelope: Envelope) -> Result:
        try:
            message = build(envelope, sender=self._sender, now=clock.now())
        except EmailError as error:
            return Result(envelope.reference, "rejected", str(error))
        try:
            smtp = self._connected()
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError, ssl.SSLCertVerificationError) as error:
            self._drop()
            return Result(envelope.reference, "misconfigured", f"relay refused us: {type(error).__name__}")
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            return Result(envelope.reference, "retry", f"relay not reachable: {type(error).__name__}")
        handed_over = False
        try:
            code, text, step = self._offer(smtp, message)
            if step == "rcpt" and code in (250, 251):
                handed_over = True
                code, text = smtp.data(message.as_bytes(policy=SMTP if _recipient(message).isascii() else SMTPUTF8))
                step = "data"
        except smtplib.SMTPDataError as error:
            code, text, step = error.smtp_code, _bytes(error.smtp_error), "data"
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            return Result(
                envelope.reference, "retry", f"relay broke off: {type(error).__name__}", uncertain=handed_over
            )
        return self._finish(smtp, envelope.reference, code, text, step)

    def _offer(self, smtp: smtplib.SMTP, message: EmailMessage) -> tuple[int, bytes, str]:
        """Name sender and recipient; return the answer that counts and its step."""
        recipient = _recipient(message)
        options = []
        if not recipient.isascii():
            if not smtp.has_extn("smtputf8"):
                return 553, b"5.6.7 relay takes no such address", "rcpt"
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        code, text = smtp.mail(self._sender.addr_spec, options)
        if code != 250:
            return code, text, "mail"
        code, text = smtp.rcpt(recipient)
        return code, text, "rcpt"

    def _finish(self, smtp: smtplib.SMTP, reference: str, code: int, text: bytes, step: str) -> Result:
        self._sent += 1
        outcome = classify(code, text, step)
        if code == 421 or self._sent >= self._per_connection:
            self._drop()
        elif outcome != "accepted":
            try:
                smtp.rset()
            except (smtplib.SMTPException, OSError):
                self._drop()
        status = text.split(b" ", 1)[0].decode("ascii", "replace")[:9] if text[1:2] == b"." else ""
        detail = "" if outcome == "accepted" else f"relay answered {code} {status}".rstrip() + f" to {step.upper()}"
        return Result(reference, outcome, detail, PAUSE_SECONDS if outcome == "throttled" else None)

    def _connected(self) -> smtplib.SMTP:
        """Return the kept connection if it still answers, else a new one."""
        if self._smtp is not None:
            try:
                if self._smtp.noop()[0] == 250:
                    return self._smtp
            except (smtplib.SMTPException, OSError):
                pass  # relays close idle connections
            self._drop()
        server = self._server
        if server.security == "ssl":
            self._smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT, context=self._tls)
        else:
            self._smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT)
        self._smtp.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            self._smtp.starttls(context=self._tls)
            self._smtp.ehlo()
        if server.user:
            self._smtp.login(server.user, server.password)
        self._sent = 0
        return self._smtp

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        try:
            smtp.quit()
        except (smtplib.SMTPException, OSError):
            smtp.close()


def classify(code: int, text: bytes, step: str) -> Outcome:
    """Read a relay's answer. `step` is mail, rcpt or data: who is refused at mail is us."""
    if code in (250, 251):
        return "accepted"
    if code in (530, 535) or (code >= 500 and (step == "mail" or text.startswith((b"5.7.0", b"5.7.1 ")))):
        return "misconfigured"
    if code == 421 or text.startswith(b"4.7."):
        return "throttled"
    if code < 500:
        return "retry"
    gone = text.startswith((b"5.1.1", b"5.1.2", b"5.1.6", b"5.1.10", b"5.2.1"))
    return "gone" if step == "rcpt" and gone else "rejected"


def _refuse_controls(*texts: str) -> None:
    if any(category(sign) in _IN_NO_HEADER for text in texts for sign in text):
        raise EmailError("a header holds a line break or a control character")


def _recipient(message: EmailMessage) -> str:
    return str(message["To"].addresses[0].addr_spec)


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
