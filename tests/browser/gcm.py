"""Stand-in for Google's push service, on loopback: what Chromium asks before it subscribes, and where messages go.

The check-in answers a protobuf (`CheckinResponse` of Chromium's checkin.proto), the registration a line of text.
"""

import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.browser.service import free_port

ORIGINS = ("https://fcm.googleapis.com", "https://jmt17.google.com")  # of Chrome's releases; of Debian's Chromium
ANDROID_ID, SECURITY_TOKEN = 1234567890123, 9876543210987


def checkin() -> bytes:
    """Return stats_ok (1), time_msec (3), android_id (7), security_token (8) and version_info (11)."""
    return (
        b"\x08\x01"
        + b"\x18"
        + _varint(1_700_000_000_000)
        + b"\x39"
        + ANDROID_ID.to_bytes(8, "little")
        + b"\x41"
        + SECURITY_TOKEN.to_bytes(8, "little")
        + b"\x5a\x03abc"
    )


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


class Gcm:
    """The running stand-in; `flags` lead a Chromium to it, `mapping` leads the service to it."""

    def __init__(self) -> None:
        self.messages: list[dict[str, str]] = []  # headers of what the service sent; the keys are the browser's alone
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        messages = self.messages

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answers = {"/checkin": checkin(), "/register": f"token=fake:{secrets.token_urlsafe(16)}".encode()}
                body = answers.get(self.path, b"")
                if not body:
                    messages.append({name.lower(): value for name, value in self.headers.items()})
                self.send_response(200 if body else 201)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Stay silent."""

        return Handler

    @property
    def base(self) -> str:
        """Return the address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def mapping(self) -> str:
        """Return the setting LEIMA_OUTBOUND_MAP that leads messages here."""
        return ",".join(f"{origin}={self.base}" for origin in ORIGINS)

    @property
    def flags(self) -> tuple[str, ...]:
        """Return the command line flags; a browser gets no messages this way, their port is closed."""
        return (
            f"--gcm-checkin-url={self.base}/checkin",
            f"--gcm-registration-url={self.base}/register",
            f"--gcm-mcs-endpoint=https://127.0.0.1:{free_port()}",
        )

    def __enter__(self) -> "Gcm":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
