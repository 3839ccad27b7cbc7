"""What Apple's push service refuses, and in which words.

Source: Apple, "Handling notification responses from APNs".
"""

import json
import re
import uuid
from typing import Any

from app.fakes.apns_protocol import Call, Reply

MAX_BODY = 5 * 1024  # bytes of a payload
DEVICE = re.compile(r"/3/device/([0-9a-fA-F]{2,200})")  # up to 100 bytes, as Apple says


def fault(call: Call) -> Reply | None:
    """Return Apple's refusal of a call that is not as it should be."""
    if call.method != "POST":
        return refusal(405, "MethodNotAllowed")
    if not call.path.startswith("/3/device/"):
        return refusal(404, "BadPath")
    if not DEVICE.fullmatch(call.path):
        return refusal(400, "MissingDeviceToken" if call.path == "/3/device/" else "BadDeviceToken")
    if call.repeated:
        return refusal(400, "DuplicateHeaders")
    if not _is_id(call.headers.get("apns-id")):
        return refusal(400, "BadMessageId")
    return _topic_fault(call) or _payload_fault(call.body)


def _topic_fault(call: Call) -> Reply | None:
    if not call.topic:
        return refusal(400, "MissingTopic")
    if call.topic != call.pass_type:
        return refusal(400, "TopicDisallowed")
    return None


def _payload_fault(body: bytes) -> Reply | None:
    if len(body) > MAX_BODY:
        return refusal(413, "PayloadTooLarge")
    try:
        is_object = isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        is_object = False
    return None if is_object else refusal(400, "PayloadEmpty")  # Apple has no other word for what is no payload


def _is_id(given: str | None) -> bool:
    try:
        return given is None or str(uuid.UUID(given)) == given.lower()
    except ValueError:
        return False


def refusal(status: int, reason: str, *, timestamp: int | None = None, retry_after: int | None = None) -> Reply:
    """Return an answer with Apple's word for it; `timestamp` in milliseconds, `retry_after` in seconds."""
    body: dict[str, Any] = {"reason": reason} | ({"timestamp": timestamp} if timestamp is not None else {})
    headers = {"retry-after": str(retry_after)} if retry_after is not None else {}
    return Reply(status, headers, json.dumps(body).encode())
