"""A small threaded HTTP/1.1 server on loopback that the HTTP fakes share."""

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_IDLE = 30  # seconds that a connection may keep silent


@dataclass(frozen=True, slots=True)
class Request:
    """What came; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, status: int, document: Mapping[str, Any], **headers: str) -> Self:
        """Return a JSON reply."""
        return cls(status, json.dumps(document).encode(), {"Content-Type": "application/json", **headers})


class LoopbackServer(ABC):
    """One fake: subclasses say what they answer. Requests run in threads of their own."""

    max_body = 65_536  # bytes; above it 413 without reading

    def __init__(self, *, port: int = 0) -> None:
        self._port = port
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @abstractmethod
    def answer(self, request: Request) -> Reply:
        """Answer one request; each service says how."""

    @property
    def base_url(self) -> str:
        """Return where it listens. Raises RuntimeError before `start`."""
        if self._server is None:
            raise RuntimeError("not started")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> Self:
        """Listen on a free port (or the given one) and return at once."""
        self._server = _Server(("127.0.0.1", self._port), _handler(self))
        name = type(self).__name__
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name=name, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening and give the port back."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # kept connections end with their clients
    request_queue_size = 128


def _handler(fake: LoopbackServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "LeimaFake"
        sys_version = ""
        timeout = _IDLE
        wbufsize = -1  # one packet for head and body
        disable_nagle_algorithm = True

        def _any(self) -> None:
            length = self.headers.get("Content-Length", "0")
            if "Transfer-Encoding" in self.headers or not length.isdigit():
                return self._write(Reply(411), close=True)
            if int(length) > fake.max_body:
                return self._write(Reply(413), close=True)
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._write(fake.answer(Request(self.command, self.path, headers, self.rfile.read(int(length)))))

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _any

        def _write(self, reply: Reply, *, close: bool = False) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            if close:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Write no log: the path is a capability."""

    return Handler
