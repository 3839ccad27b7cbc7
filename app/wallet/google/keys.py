"""The keys that Google signs its callbacks with, fetched and kept. Pure protocol."""

import re
import threading
from contextlib import suppress
from datetime import datetime, timedelta

from app.core.errors import Unavailable
from app.core.i18n import gettext as _
from app.core.outbound import Answer, Outbound, OutboundError
from app.wallet.google.callbacks import Callback, CallbackBadSignature, RootKey, parse_root_keys, verify

URL = "https://pay.google.com/gp/m/issuer/keys"
LONGEST = timedelta(hours=24)  # that keys are kept
SOONEST = timedelta(minutes=1)  # between two fetches, whoever sends what
SECONDS, LIMIT = 5, 65_536


class CallbackKeysUnavailable(Unavailable):
    """Google's keys cannot be had now; Google sends the callback again."""

    code = "callback_keys_unavailable"


class RootKeys:
    """Google's keys, fetched when they are first needed and when none of them fits."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._lock = threading.Lock()
        self._keys: tuple[RootKey, ...] = ()
        self._until: datetime | None = None
        self._asked_at: datetime | None = None

    def verify(self, body: bytes, *, issuer_id: str, now: datetime) -> Callback:
        """Return what a callback says; keys that Google made meanwhile are fetched, once a minute at most.

        Raises:
            CallbackRefused: it is not Google's, not for us, or too old.
            CallbackKeysUnavailable: no key of Google's is known.
        """
        self._refuse_garbage(body, issuer_id, now)
        keys = self._current(now)
        try:
            return verify(body, root_keys=keys, issuer_id=issuer_id, now=now)
        except CallbackBadSignature:
            newer = self._renewed(now, keys)
            if newer is keys:
                raise
            return verify(body, root_keys=newer, issuer_id=issuer_id, now=now)

    def _refuse_garbage(self, body: bytes, issuer_id: str, now: datetime) -> None:
        """Refuse what is no callback before anybody is asked for keys because of it."""
        with suppress(CallbackBadSignature):  # without a key nothing is signed
            verify(body, root_keys=(), issuer_id=issuer_id, now=now)

    def _current(self, now: datetime) -> tuple[RootKey, ...]:
        with self._lock:
            if (self._until is None or now >= self._until) and self._may_ask(now):
                self._fetch(now)
            if not self._keys:
                raise CallbackKeysUnavailable(_("Google's keys cannot be fetched now."))
            return self._keys

    def _renewed(self, now: datetime, known: tuple[RootKey, ...]) -> tuple[RootKey, ...]:
        with self._lock:
            if self._keys is known and self._may_ask(now):
                self._fetch(now)
            return self._keys

    def _may_ask(self, now: datetime) -> bool:
        """Tell whether the last fetch is long enough ago: strangers must not make us ask Google for each of theirs."""
        return self._asked_at is None or abs(now - self._asked_at) >= SOONEST

    def _fetch(self, now: datetime) -> None:
        """Fetch the keys; where that fails, the ones that are known stay."""
        self._asked_at = now
        try:
            answer = self._outbound.request("GET", URL, seconds=SECONDS, limit=LIMIT)
        except OutboundError:
            return
        found = tuple(key for key in parse_root_keys(answer.body) if key.ends_at > now) if answer.status == 200 else ()
        if found:
            self._keys = found
            self._until = min(now + _lasts(answer), *(key.ends_at for key in found))


def _lasts(answer: Answer) -> timedelta:
    age = re.search(r"max-age=(\d{1,9})", answer.headers.get("cache-control", ""))
    return min(timedelta(seconds=int(age[1])), LONGEST) if age else timedelta(hours=1)
