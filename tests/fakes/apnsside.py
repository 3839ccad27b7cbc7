"""A bare HTTP/2 client for the fake push service: it sends what a well-behaved one never would."""

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
)
from h2.settings import SettingCodes, Settings

from app.fakes.apns import FakeApns
from app.fakes.wallet_chain import WalletChain

SECONDS = 5
Headers = Sequence[tuple[str, str]]


@dataclass
class Answered:
    """One answer, as it comes in."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    ended: bool = False

    @property
    def status(self) -> int:
        return int(self.headers[":status"])


class RawClient:
    """One connection; nothing is checked on this side."""

    def __init__(self, connection: ssl.SSLSocket, *, window: int | None = None) -> None:
        config = H2Configuration(
            validate_outbound_headers=False, normalize_outbound_headers=False, header_encoding="utf-8"
        )
        self.http = H2Connection(config)
        self.answers: dict[int, Answered] = {}
        self.streams_allowed = 0.0
        self.goodbye = False
        self._socket = connection
        if window is not None:
            self.http.local_settings = Settings(initial_values={SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.http.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self._socket.sendall(self.http.data_to_send())

    def send(
        self, path: str, *, topic: str | None = None, body: bytes = b"{}", method: str = "POST", more: Headers = ()
    ) -> int:
        """Send a request and do not wait; return its stream."""
        stream = self.http.get_next_available_stream_id()
        headers = [(":method", method), (":path", path), (":scheme", "https"), (":authority", "api.push.apple.com")]
        headers += [("apns-topic", topic)] if topic is not None else []
        self.answers[stream] = Answered()
        self.http.send_headers(stream, [*headers, *more], end_stream=not body)
        while body:
            room = min(self.http.local_flow_control_window(stream), self.http.max_outbound_frame_size)
            if room <= 0:
                self.flush()
                self.take()
                continue
            part, body = body[:room], body[room:]
            self.http.send_data(stream, part, end_stream=not body)
        self.flush()
        return stream

    def ask(self, path: str, **given: object) -> Answered:
        """Send a request and wait for its answer."""
        stream = self.send(path, **given)  # type: ignore[arg-type]
        while not self.answers[stream].ended:
            self.take()
        return self.answers[stream]

    def take(self, *, acknowledge: bool = True) -> list[Event]:
        """Take what the server says next. Raises EOFError when it hung up."""
        data = self._socket.recv(65_536)
        if not data:
            raise EOFError
        events = self.http.receive_data(data)
        for event in events:
            if isinstance(event, ResponseReceived):
                self.answers[event.stream_id].headers = {str(name): str(value) for name, value in event.headers}
            elif isinstance(event, DataReceived):
                self.answers[event.stream_id].body += event.data
                if acknowledge:
                    self.http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, StreamEnded):
                self.answers[event.stream_id].ended = True
            elif (
                isinstance(event, RemoteSettingsChanged)
                and SettingCodes.MAX_CONCURRENT_STREAMS in event.changed_settings
            ):
                self.streams_allowed = event.changed_settings[SettingCodes.MAX_CONCURRENT_STREAMS].new_value
            elif isinstance(event, ConnectionTerminated):
                self.goodbye = True
        self.flush()
        return events

    def until_it_hangs_up(self) -> None:
        """Take everything until the server has gone."""
        with suppress(EOFError, ConnectionError):
            while True:
                self.take()


@contextmanager
def raw_client(
    fake: FakeApns, chain: WalletChain, folder: Path, *, protocol: str = "h2", window: int | None = None
) -> Iterator[RawClient]:
    """Connect with the chain's pass certificate."""
    pem = folder / "client.pem"
    pem.write_bytes(chain.key + chain.certificate + chain.wwdr)
    context = ssl.create_default_context(cadata=fake.root.decode())
    context.load_cert_chain(pem)
    context.set_alpn_protocols([protocol])
    port = int(next(iter(fake.mapping.values())).rsplit(":", 1)[-1])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        yield RawClient(connection, window=window)
