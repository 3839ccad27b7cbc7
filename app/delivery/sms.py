"""SMS through a gateway of any provider: one JSON document each, our own reference, parts counted as networks do.

Source: messages.md, "SMS"; 3GPP TS 23.038.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.core import clock
from app.core.outbound import AddressRefused, Answer, Outbound, OutboundError, Outgoing
from app.delivery.channel import Envelope, Result, read_retry_after

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_ESCAPED = frozenset("\f^{}\\[~]|€")  # two septets each


@dataclass(frozen=True, slots=True)
class SmsSize:
    """How a text travels: units are septets (gsm7) or UTF-16 code units (ucs2); each part is paid for."""

    encoding: Literal["gsm7", "ucs2"]
    units: int
    parts: int


def size(text: str) -> SmsSize:
    """Count a text's parts: 160 septets or 70 UTF-16 units alone, 153 or 67 in each of several."""
    gsm7 = all(sign in _GSM7 or sign in _GSM7_ESCAPED for sign in text)
    if gsm7:
        costs = [2 if sign in _GSM7_ESCAPED else 1 for sign in text]
    else:
        costs = [2 if ord(sign) > 0xFFFF else 1 for sign in text]
    units = sum(costs)
    alone, each = (160, 153) if gsm7 else (70, 67)
    encoding: Literal["gsm7", "ucs2"] = "gsm7" if gsm7 else "ucs2"
    if units <= alone:
        return SmsSize(encoding, units, 1)
    parts, room = 1, each
    for cost in costs:  # one by one: a sign of two units is never cut in half between parts
        if cost > room:
            parts, room = parts + 1, each
        room -= cost
    return SmsSize(encoding, units, parts)


def code_text(text: str, *, host: str, code: str) -> str:
    """Return a log-in text whose last line lets phones fill the code in on that host only."""
    return f"{text}\n\n@{host} #{code}"


def build(envelope: Envelope, *, url: str, key: str, sender: str) -> Outgoing | None:
    """Return the request for an envelope, or None when the number is not E.164 or the text is empty."""
    if not _E164.fullmatch(envelope.to) or not envelope.text.strip():
        return None
    body = {"to": envelope.to, "from": sender, "text": envelope.text, "reference": envelope.reference}
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "Accept": "application/json"}
    return Outgoing("POST", url, headers, json.dumps(body).encode())


def classify(reference: str, answer: Answer, *, now: datetime) -> Result:
    """Read the gateway's answer. 409 means that it has this reference already, so nothing is lost."""
    status, detail = answer.status, f"gateway answered {answer.status}"
    if 200 <= status < 300 or status == 409:
        return Result(reference, "accepted", provider_id=_provider_id(answer.body))
    if status == 410:
        return Result(reference, "gone", detail)
    if status in (429, 503):
        wait = read_retry_after(answer.headers.get("retry-after"), now=now)
        return Result(reference, "throttled", detail, wait)
    if status in (401, 402, 403, 404, 405) or 300 <= status < 400:  # key, credit, or the wrong address
        return Result(reference, "misconfigured", detail)
    if status >= 500 or status == 408:
        # 504 comes from something in front of the gateway, which may have taken the message all the same.
        return Result(reference, "retry", detail, uncertain=status == 504)
    return Result(reference, "rejected", detail)


class SmsChannel:
    """SMS through the one way out."""

    def __init__(self, outbound: Outbound, *, url: str, key: str, sender: str) -> None:
        """Args:
        url: where the gateway takes messages; its host must be allowed.
        sender: a name of at most 11 letters and digits, or a number.
        """
        self._outbound = outbound
        self._url, self._key, self._sender = url, key, sender

    def send_batch(self, envelopes: Sequence[Envelope]) -> list[Result]:
        """Send side by side. `uncertain` when no answer came: the message may have gone out."""
        results: dict[int, Result] = {}
        requests: dict[int, Outgoing] = {}
        for place, envelope in enumerate(envelopes):
            request = build(envelope, url=self._url, key=self._key, sender=self._sender)
            if request is None:
                results[place] = Result(envelope.reference, "rejected", "no number in E.164, or no text")
            else:
                requests[place] = request
        answers = self._outbound.request_many(list(requests.values())) if requests else []
        for place, answer in zip(requests, answers, strict=True):
            results[place] = _read(envelopes[place].reference, answer)
        return [results[place] for place in range(len(envelopes))]


def _read(reference: str, answer: Answer | OutboundError) -> Result:
    if isinstance(answer, AddressRefused):
        return Result(reference, "misconfigured", str(answer))
    if isinstance(answer, OutboundError):
        return Result(reference, "retry", str(answer), uncertain=answer.sent)
    return classify(reference, answer, now=clock.now())


def _provider_id(body: bytes) -> str:
    try:
        named = json.loads(body)
    except ValueError:
        return ""
    return str(named.get("id", ""))[:64] if isinstance(named, dict) else ""
