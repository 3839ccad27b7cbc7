"""Apple's push service as passes use it: a wake-up without content, and how its answer is read. Pure.

Source: wallet.md, "Apple's web service"; Apple, "Handling notification responses from APNs".
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote

from app.core import clock
from app.core.outbound import AddressRefused, Answer, Identity, OutboundError, Outgoing

ORIGIN = "https://api.push.apple.com"
BODY = b"{}"

Outcome = Literal["accepted", "gone", "retry", "throttled", "rejected", "misconfigured"]
# Reasons of status 400 that are about our certificate or its pass type, not about the phone. DeviceTokenNotForTopic is
# not: one foreign token, registered by anybody who holds a pass, would pause the whole brand.
_OURS = frozenset(
    {
        "BadCertificate",
        "BadCertificateEnvironment",
        "BadTopic",
        "MissingTopic",
        "TopicDisallowed",
    }
)
_LONGEST = 1000  # characters of a token in an address; Apple's have at most 200
_WORD = re.compile(r"[A-Za-z]{1,40}")
_LAST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Wake:
    """What became of one wake-up.

    accepted: Apple has it. gone: no phone has this token any more. retry: Apple or the way to it is down.
    throttled: this phone only, later. rejected: never for this token. misconfigured: our certificate; delete nothing.
    """

    outcome: Outcome
    reason: str  # a stable code of ours, such as apns_bad_device_token
    retry_after: float | None = None  # seconds, when Apple said so
    gone_since: datetime | None = None  # aware; who registered later has a token that is good again


def wake_up(token: str, topic: str, identity: Identity) -> Outgoing:
    """Return the request that wakes one phone.

    Args:
        token: as the phone gave it; opaque.
        topic: the pass type id, which must be the certificate's own.
    """
    headers = {"apns-topic": topic, "Content-Type": "application/json"}
    # What no address can hold is cut, so that Apple is the one who calls it a bad token, and the phone is deleted.
    device = quote(token, safe="", errors="replace")[:_LONGEST]
    return Outgoing("POST", f"{ORIGIN}/3/device/{device}", headers, BODY, identity, quiet=True)


def classify(answer: Answer | OutboundError) -> Wake:
    """Read Apple's answer; whatever its body holds, this says what to do next."""
    if isinstance(answer, AddressRefused):
        # A token does not do that: Apple's name leads astray, or our identity is unreadable. Both can be mended.
        return Wake("retry", "apns_not_sent")
    if isinstance(answer, OutboundError):
        return Wake("retry", "apns_unreachable")
    if answer.status == 200:
        return Wake("accepted", "apns_accepted")
    body = answer.data
    word = body.get("reason")
    word = word if isinstance(word, str) and _WORD.fullmatch(word) else f"Status{answer.status}"
    return Wake(_outcome(answer.status, word), _code(word), answer.retry_after(clock.now()), _since(body))


def _outcome(status: int, word: str) -> Outcome:
    if status == 410 or (status == 400 and word == "BadDeviceToken"):
        return "gone"
    if status == 403 or (status == 400 and word in _OURS):
        return "misconfigured"
    if status == 429:
        return "throttled"
    # Below 400 it is not Apple who answers, and an idle connection says nothing about the phone.
    again = status >= 500 or status < 400 or status == 408 or word == "IdleTimeout"
    return "retry" if again else "rejected"


def _code(word: str) -> str:
    return "apns_" + re.sub(r"(?<=[a-z])(?=[A-Z0-9])", "_", word).lower()


def _since(body: dict[str, Any]) -> datetime | None:
    """Return since when Apple knows that a token is gone; it counts in milliseconds."""
    stamp = body.get("timestamp")
    if isinstance(stamp, bool) or not isinstance(stamp, int | float) or not 0 < stamp < _LAST * 1000:
        return None
    return datetime.fromtimestamp(stamp / 1000, UTC)
