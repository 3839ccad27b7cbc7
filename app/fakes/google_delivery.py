"""Carries the fake Google's callbacks to an issuer on loopback, in threads, and remembers what came of them."""

import threading
from collections.abc import Callable
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SECONDS = 5  # that an issuer has for its answer


class _Stay(HTTPRedirectHandler):
    """Follows no redirect: a callback never leaves loopback."""

    def redirect_request(self, *_: object) -> None:
        return None


_open = build_opener(ProxyHandler({}), _Stay).open


class Calls:
    """Callbacks on their way, and the answers.

    Args:
        answered: told of each, with event, object and status; 0 is no answer.
    """

    def __init__(self, answered: Callable[[str, str, int], None]) -> None:
        self.done: list[tuple[str, str, int]] = []  # event, object, status
        self._answered = answered
        self._open = 0
        self._changed = threading.Condition()

    def send(self, url: str, body: bytes, event: str, name: str) -> None:
        """Send one in a thread of its own, if the address is on loopback; nothing else is ever called."""
        if not _is_loopback(url):
            return
        with self._changed:
            self._open += 1
        threading.Thread(target=self._deliver, args=(url, body, event, name), daemon=True).start()

    def wait(self, seconds: float) -> list[tuple[str, str, int]]:
        """Return all answers, once none is on its way. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._open == 0, seconds):
                raise TimeoutError(f"callbacks not answered in {seconds:g} s")
            return list(self.done)

    def _deliver(self, url: str, body: bytes, event: str, name: str) -> None:
        status = _post(url, body)
        self._answered(event, name, status)
        with self._changed:
            self._open -= 1
            self.done.append((event, name, status))
            self._changed.notify_all()


def _is_loopback(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "http" and parts.hostname in _LOOPBACK


def _post(url: str, body: bytes) -> int:
    """Return the status of the answer, or 0."""
    request = Request(url, body, {"Content-Type": "application/json"})  # noqa: S310  http on loopback alone
    try:
        with _open(request, timeout=_SECONDS) as answer:
            status: int = answer.status
            return status
    except HTTPError as error:
        error.close()
        return error.code
    except (OSError, HTTPException, ValueError):
        return 0
