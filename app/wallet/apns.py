"""Apple's push service as passes use it: a wake-up without content, and how its answer is read. Pure.

Source: wallet.md, "Apple's web service"; Apple, "Handling notification responses from APNs".
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote

from app.core.outbound import AddressRefused, Answer, Identity, OutboundError, Outgoing

ORIGIN = "https://api.push.apple.com"
BODY = b"{}"
Outcome = Literal["accepted", "gone", "retry", "throttled", "rejected", "misconfigured"]
# Reasons of status 400 that are about our certificate or its pass type, not about the phone.
_OURS = frozenset(
    {
        "BadCertificate",
        "BadCertificateEnvironment",
        "BadTopic",
        "DeviceTokenNotForTopic",
        "MissingTopic",
        "TopicDisallowed",
    }
)
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
    return Outgoing("POST", f"{ORIGIN}/3/device/{quote(token, safe='')}", headers, BODY, identity, quiet=True)


def classify(answer: Answer | OutboundError) -> Wake:
    """Read Apple's answer; whatever its body holds, this says what to do next."""
    if isinstance(answer, AddressRefused):
        return Wake("rejected", "apns_not_sent")  # a token that no address can hold, or an identity that cannot be read
    if isinstance(answer, OutboundError):
        return Wake("retry", "apns_unreachable")
    if answer.status == 200:
        return Wake("accepted", "apns_accepted")
    body = _object(answer.body)
    word = body.get("reason")
    word = word if isinstance(word, str) and _WORD.fullmatch(word) else f"Status{answer.status}"
    return Wake(_outcome(answer.status, word), _code(word), _seconds(answer), _since(body))


def _outcome(status: int, word: str) -> Outcome:
    if status == 410 or (status == 400 and word == "BadDeviceToken"):
        return "gone"
    if status == 403 or (status == 400 and word in _OURS):
        return "misconfigured"
    if status == 429:
        return "throttled"
    return "retry" if status >= 500 or status == 408 else "rejected"


def _code(word: str) -> str:
    return "apns_" + re.sub(r"(?<=[a-z])(?=[A-Z0-9])", "_", word).lower()


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(answer: Answer) -> float | None:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


def _since(body: dict[str, Any]) -> datetime | None:
    """Return since when Apple knows that a token is gone; it counts in milliseconds."""
    stamp = body.get("timestamp")
    if isinstance(stamp, bool) or not isinstance(stamp, int | float) or not 0 < stamp < _LAST * 1000:
        return None
    return datetime.fromtimestamp(stamp / 1000, UTC)
