"""A Google that answers what it is told: for outages and answers that the strict fake never gives."""

import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from app.fakes.loopback import LoopbackServer, Reply, Request

REST = "/walletobjects/v1"
HOSTS = ("walletobjects.googleapis.com", "oauth2.googleapis.com")


class ScriptedGoogle(LoopbackServer):
    """Gives tokens by `token` and answers calls by `script`, one after the other; without more, 200."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Request] = []
        self.assertions: list[str] = []
        self.script: dict[str, list[Reply]] = {}  # "METHOD path" → answers
        self.token: Callable[[int], Reply] = lambda number: token(f"token-{number}")
        self.taken = lambda _token: True  # which access tokens are good
        self.hang = threading.Event()  # set: answer
        self.hang.set()
        self._lock = threading.Lock()

    @property
    def mapping(self) -> dict[str, str]:
        return dict.fromkeys((f"https://{host}" for host in HOSTS), self.base_url)

    def tell(self, call: str, *replies: Reply | int) -> None:
        """Answer a call such as "PATCH loyaltyObject/3388.a" with these, in this order."""
        method, _, path = call.partition(" ")
        made = [each if isinstance(each, Reply) else Reply.of_json(each, {"error": {"code": each}}) for each in replies]
        self.script[f"{method} {REST}/{path}"] = made

    def answer(self, request: Request) -> Reply:
        self.hang.wait(10)
        with self._lock:
            if request.path == "/token":
                self.assertions.append(parse_qs(request.body.decode())["assertion"][0])
                return self.token(len(self.assertions))
            self.calls.append(request)
            if not self.taken(request.headers["authorization"].removeprefix("Bearer ")):
                return Reply.of_json(401, {"error": {"code": 401, "status": "UNAUTHENTICATED"}})
            waiting = self.script.get(f"{request.method} {request.path}", [])
            return waiting.pop(0) if waiting else Reply.of_json(200, {"hasUsers": True})

    def made(self) -> list[str]:
        """Return the calls so far."""
        return [f"{call.method} {call.path.removeprefix(f'{REST}/')}" for call in self.calls]

    def bodies(self) -> list[Any]:
        return [json.loads(call.body) for call in self.calls]


def token(text: str, *, lasts: Any = 3599) -> Reply:
    """Return a good answer of the token endpoint."""
    return Reply.of_json(200, {"access_token": text, "expires_in": lasts, "token_type": "Bearer"})
