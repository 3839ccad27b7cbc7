"""One HTTP/2 connection of the fake push service."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, RequestReceived, StreamEnded, StreamReset, WindowUpdated
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes

STREAMS = 1000  # at once, as Apple advertises
LONGEST = 64 * 1024  # bytes that are kept of one body


@dataclass(frozen=True, slots=True)
class Call:
    """One request, and the pass type of the certificate that the connection was made with."""

    method: str
    path: str
    headers: Mapping[str, str]
    repeated: bool  # a header came twice
    pass_type: str
    body: bytes

    @property
    def topic(self) -> str:
        """Return the topic that the request names."""
        return self.headers.get("apns-topic", "")


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class _Stream:
    headers: list[tuple[str, str]]
    body: bytes = b""


class Connection(asyncio.Protocol):
    """Speaks HTTP/2 over one TLS connection; the certificate was demanded and checked by TLS."""

    def __init__(
        self,
        answer: Callable[[Call], Reply],
        *,
        opened: Callable[["Connection"], None],
        closed: Callable[["Connection"], None],
    ) -> None:
        """Args:
        answer: answers one request.
        opened: called when TLS is through.
        closed: called when the connection has ended.
        """
        self._answer = answer
        self._opened = opened
        self._closed = closed
        self._http = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._streams: dict[int, _Stream] = {}
        self._unsent: dict[int, bytes] = {}  # of answers that the client's window has no room for yet
        self._transport: asyncio.Transport | None = None
        self._pass_type = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Read the certificate and greet."""
        self._transport = cast(asyncio.Transport, transport)
        self._opened(self)
        if transport.get_extra_info("ssl_object").selected_alpn_protocol() != "h2":
            self.abort()
            return
        subject = (transport.get_extra_info("peercert") or {}).get("subject", ())
        names = {name: value for part in subject for name, value in part}
        self._pass_type = names.get("userId", "")
        self._http.initiate_connection()
        self._http.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: STREAMS})
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._closed(self)

    def abort(self) -> None:
        """Hang up without a word."""
        if self._transport is not None:
            self._transport.abort()

    def leave(self) -> None:
        """Say that no more requests are taken (GOAWAY), and hang up."""
        with suppress(ProtocolError):  # it has been said
            self._http.close_connection()
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Take frames; a client that breaks the protocol is hung up on."""
        try:
            events = self._http.receive_data(data)
            given_up = {event.stream_id for event in events if isinstance(event, StreamReset)}
            for event in events:
                if not (isinstance(event, StreamEnded) and event.stream_id in given_up):
                    self._take(event)
        except ProtocolError:
            self._flush()
            if self._transport is not None:
                self._transport.close()
            return
        self._flush()

    def _take(self, event: Any) -> None:
        if isinstance(event, RequestReceived):
            self._streams[event.stream_id] = _Stream([(str(name), str(value)) for name, value in event.headers])
        elif isinstance(event, DataReceived):
            self._http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            stream = self._streams.get(event.stream_id)
            if stream is not None:
                stream.body = (stream.body + event.data)[:LONGEST]
        elif isinstance(event, StreamEnded):
            self._end(event.stream_id)
        elif isinstance(event, StreamReset):
            self._streams.pop(event.stream_id, None)
            self._unsent.pop(event.stream_id, None)
        elif isinstance(event, WindowUpdated):
            for stream_id in list(self._unsent):
                self._send(stream_id)
        elif isinstance(event, ConnectionTerminated) and self._transport is not None:
            self._transport.close()

    def _end(self, stream_id: int) -> None:
        stream = self._streams.pop(stream_id, None)
        if stream is None:
            return
        named = dict(stream.headers)
        call = Call(
            named.get(":method", ""), named.get(":path", ""), named, len(named) < len(stream.headers),
            self._pass_type, stream.body,
        )  # fmt: skip
        reply = self._answer(call)
        headers = [(":status", str(reply.status)), *reply.headers.items()]
        self._http.send_headers(stream_id, headers, end_stream=not reply.body)
        if reply.body:
            self._unsent[stream_id] = reply.body
            self._send(stream_id)

    def _send(self, stream_id: int) -> None:
        """Send of an answer what the client's windows have room for; the rest goes when they are opened."""
        while body := self._unsent.get(stream_id):
            room = min(self._http.local_flow_control_window(stream_id), self._http.max_outbound_frame_size)
            if room <= 0:
                return
            part, self._unsent[stream_id] = body[:room], body[room:]
            self._http.send_data(stream_id, part, end_stream=len(part) == len(body))
        self._unsent.pop(stream_id, None)

    def _flush(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(self._http.data_to_send())
