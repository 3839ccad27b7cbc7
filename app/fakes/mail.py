"""A mail relay on loopback: real SMTP, takes well-formed mail only, keeps it for `/dev/outbox`."""

import asyncio
import email
import ssl
from email.message import EmailMessage
from email.policy import default
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.fakes.store import OutboxStore

_NEEDED = ("From", "To", "Date", "Message-ID", "Subject")
MAX_BYTES = 1_048_576


class _Handler:
    """Takes one message at a time from aiosmtpd."""

    def __init__(self, store: OutboxStore) -> None:
        self.store = store
        self.refusals: dict[str, str] = {}
        self.sessions: set[str] = set()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, unless told otherwise."""
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep a message, or say what is missing."""
        raw = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        message = email.message_from_bytes(raw, policy=default)
        missing = [name for name in _NEEDED if message[name] is None]
        if missing or any(len(message.get_all(name, [])) != 1 for name in _NEEDED):
            return f"554 5.6.0 {' '.join(missing) or 'a header stands twice'}"
        if message.defects or max(map(len, raw.split(b"\r\n"))) > 998:
            return "554 5.6.0 not a well-formed message"
        self.sessions.add(str(session.peer))
        for address in envelope.rcpt_tos:
            self._keep(message, address, envelope, session)
        return "250 2.0.0 taken"

    def _keep(self, message: EmailMessage, address: str, envelope: Envelope, session: Session) -> None:
        facts = {
            "from": str(message["From"]),
            "to": str(message["To"]),
            "sender": envelope.mail_from,
            "tls": session.ssl is not None,
            "connection": len(self.sessions),
            "headers": {name.lower(): str(value) for name, value in message.items()},
        }
        subject = str(message["Subject"])
        plain, html = _part(message, "plain"), _part(message, "html")
        self.store.add("email", address, title=subject, text=plain, html=html, facts=facts)


class _Controller(Controller):
    """Learns its port from the socket, so that 0 may stand for any free one."""

    def _trigger_server(self) -> None:
        assert self.server is not None  # noqa: S101 - aiosmtpd has just made it
        sockets: Any = getattr(self.server, "sockets", ())
        self.port = sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # the library has no types


class FakeMail:
    """The relay. `tls` makes it offer STARTTLS, and refuse mail without it."""

    def __init__(self, store: OutboxStore, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._handler = _Handler(store)
        self._port = port
        self._tls = tls
        self._controller: _Controller | None = None

    @property
    def port(self) -> int:
        """Return where it listens on 127.0.0.1. Raises RuntimeError before `start`."""
        if self._controller is None:
            raise RuntimeError("not started")
        return self._controller.port

    @property
    def url(self) -> str:
        """Return its address as `LEIMA_SMTP_URL` has it."""
        return f"smtp://127.0.0.1:{self.port}" + ("?starttls=1" if self._tls else "")

    @property
    def connections(self) -> int:
        """Return how many connections brought mail."""
        return len(self._handler.sessions)

    def refuse(self, address: str, answer: str) -> None:
        """Answer a recipient with this from now on, such as `550 5.1.1 no such user`; an empty answer ends it."""
        if answer:
            self._handler.refusals[address] = answer
        else:
            self._handler.refusals.pop(address, None)

    def start(self) -> Self:
        """Listen; returns when it answers."""
        self._controller = _Controller(
            self._handler,
            hostname="127.0.0.1",
            port=self._port,
            loop=asyncio.new_event_loop(),
            ident="leima fake relay",
            data_size_limit=MAX_BYTES,
            tls_context=self._tls,
            require_starttls=self._tls is not None,
            enable_SMTPUTF8=True,
        )
        self._controller.start()
        return self

    def stop(self) -> None:
        """Stop listening and give the port back."""
        if self._controller is not None:
            self._controller.stop(no_assert=True)
            self._controller = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
