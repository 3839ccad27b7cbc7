"""Stand-in for what Chromium asks before it subscribes to push: its check-in and its registration, on loopback.

The check-in answers a protobuf (`CheckinResponse` of Chromium's checkin.proto), the registration a line of text.
"""

import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.browser.service import free_port

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


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = checkin() if self.path == "/checkin" else f"token=fake:{secrets.token_urlsafe(16)}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream" if self.path == "/checkin" else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


class Gcm:
    """The running stand-in; `flags` lead a Chromium to it."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def flags(self) -> tuple[str, ...]:
        """Return the command line flags; messages themselves have no way in, their port is closed."""
        base = f"http://127.0.0.1:{self._server.server_port}"
        return (
            f"--gcm-checkin-url={base}/checkin",
            f"--gcm-registration-url={base}/register",
            f"--gcm-mcs-endpoint=https://127.0.0.1:{free_port()}",
        )

    def __enter__(self) -> "Gcm":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
