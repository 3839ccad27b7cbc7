"""What the fakes received, newest first, for `/dev/outbox` and for tests; in memory and bounded."""

import itertools
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from app.core import clock

Kind = Literal["email", "sms", "push", "wallet"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message as it came; `facts` are what only this kind has: headers, parts, topic."""

    number: int
    at: datetime
    kind: Kind
    to: str
    title: str = ""
    text: str = ""
    html: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


class OutboxStore:
    """Everything that came in, up to `keep` messages; safe between threads."""

    def __init__(self, keep: int = 500) -> None:
        self._arrivals: deque[Arrival] = deque(maxlen=keep)
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()

    def add(
        self,
        kind: Kind,
        to: str,
        *,
        title: str = "",
        text: str = "",
        html: str = "",
        facts: Mapping[str, Any] | None = None,
    ) -> Arrival:
        """Keep a message and wake whoever waits for one."""
        with self._changed:
            arrival = Arrival(next(self._numbers), clock.now(), kind, to, title, text, html, dict(facts or {}))
            self._arrivals.appendleft(arrival)
            self._changed.notify_all()
        return arrival

    def newest(self, kind: Kind | None = None, *, to: str | None = None, limit: int = 100) -> list[Arrival]:
        """Return messages, newest first, of one kind and one recipient if asked."""
        with self._changed:
            fitting = (one for one in self._arrivals if kind in (None, one.kind) and to in (None, one.to))
            return list(itertools.islice(fitting, limit))

    def wait_for(self, wanted: Callable[[Arrival], bool], *, seconds: float = 5) -> Arrival:
        """Return the newest message that is wanted, waiting for it to come.

        Raises:
            TimeoutError: none came.
        """

        def found() -> Arrival | None:
            return next((one for one in self._arrivals if wanted(one)), None)

        with self._changed:
            arrival = self._changed.wait_for(found, seconds)
        if arrival is None:
            raise TimeoutError(f"no such message in {seconds:g} s")
        return arrival

    def clear(self) -> None:
        """Forget everything; the numbers go on."""
        with self._changed:
            self._arrivals.clear()
