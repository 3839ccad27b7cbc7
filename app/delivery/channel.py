"""What every channel takes and gives back: an envelope for each message, a result for each envelope.

Source: messages.md, "One door out".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from app.core.clients import retry_after

Outcome = Literal["accepted", "gone", "retry", "throttled", "rejected", "misconfigured"]
Urgency = Literal["very-low", "low", "normal", "high"]

PAUSE_SECONDS = 60  # when a throttling provider does not say how long


@dataclass(frozen=True, slots=True)
class PushKeys:
    """The keys of a push subscription, base64url without padding; checked by `webpush.check_keys`."""

    p256dh: str = field(repr=False)
    auth: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message to one person on one channel.

    `repr` leaves out everything personal, since it may end in a log.
    """

    reference: str  # the message's own public id: comes back in the result, goes to the provider
    to: str = field(repr=False)  # email address, number in E.164, or push endpoint
    text: str = field(repr=False)
    title: str = field(default="", repr=False)  # subject of an email, title of a push
    html: str = field(default="", repr=False)
    link: str = field(default="", repr=False)  # absolute; where a tap on the push leads
    language: str = "en"
    unsubscribe: str = field(default="", repr=False)  # https, one click (RFC 8058); marketing email only
    keys: PushKeys | None = None  # push only, like all below
    topic: str = ""  # a waiting message of the same topic is replaced
    tag: str = ""  # a shown notification of the same tag is replaced
    ttl: int = 86_400  # seconds that the push service keeps it
    urgency: Urgency = "normal"
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)  # for the service worker


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an envelope.

    accepted: the provider has it. gone: the address is no more, delete it. retry: try again later.
    throttled: pause this provider or push origin for `retry_after` seconds. rejected: this message will never do.
    misconfigured: our fault; stop the channel and tell somebody, delete nothing.
    `uncertain`: no answer came, and the provider may have it: a channel that cannot replace must not send again.
    """

    reference: str
    outcome: Outcome
    detail: str = ""  # short, for the log: never an address or a text
    retry_after: int | None = None  # seconds
    provider_id: str = ""
    uncertain: bool = False


class Channel(Protocol):
    """A way to people. No transaction is open while it speaks to its provider."""

    def send_batch(self, envelopes: Sequence[Envelope]) -> list[Result]:
        """Send; one result for each envelope, in their order. Raises nothing that a provider can cause."""


def read_retry_after(value: str | None, *, now: datetime) -> int:
    """Return the seconds of a Retry-After header, given as seconds or as a date; 60 when it says nothing usable."""
    found = retry_after(value, now)
    return PAUSE_SECONDS if found is None else int(found)
