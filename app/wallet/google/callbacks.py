"""Google's callbacks: somebody saved a card, somebody removed it. Only what Google signed for us is believed. Pure.

Source: wallet.md, "Google"; Google, "Payment method token cryptography", ECv2SigningOnly.
"""

import base64
import binascii
import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.core.errors import Forbidden
from app.core.i18n import gettext as _

PROTOCOL = "ECv2SigningOnly"
SENDER = "GooglePayPasses"
LONGEST = 16_384  # bytes of a callback
EVENTS = ("save", "del")
_LAST = 2**53  # milliseconds that a JSON number holds exactly


class CallbackRefused(Forbidden):
    """A callback is not Google's, not for us, or too old."""

    code: ClassVar[str] = "callback_refused"


class CallbackMalformed(CallbackRefused):
    """It is no callback at all."""

    code = "callback_malformed"


class CallbackBadSignature(CallbackRefused):
    """No key of Google's made one of its signatures."""

    code = "callback_bad_signature"


class CallbackExpiredKey(CallbackRefused):
    """The key that signed it has ended."""

    code = "callback_expired_key"


class CallbackExpired(CallbackRefused):
    """It is too old."""

    code = "callback_expired"


class CallbackOtherIssuer(CallbackRefused):
    """It is about a class or object of another issuer."""

    code = "callback_other_issuer"


@dataclass(frozen=True)
class RootKey:
    """One of the keys that Google publishes."""

    key: ec.EllipticCurvePublicKey = field(repr=False)
    ends_at: datetime  # aware


@dataclass(frozen=True)
class Callback:
    """What Google says happened; `nonce` counts once."""

    event: str  # save or del
    class_id: str
    object_id: str
    nonce: str = field(repr=False)
    expires_at: datetime  # aware


def verify(body: bytes, *, root_keys: Iterable[RootKey], issuer_id: str, now: datetime) -> Callback:
    """Return what a callback says, once every signature and date of it holds.

    Args:
        root_keys: as `parse_root_keys` gives them.
        issuer_id: ours, which Google signed as the recipient.

    Raises:
        CallbackRefused: one of its kinds; nothing else, whatever the body holds.
    """
    outer = _object(body.decode("utf-8", "replace") if len(body) <= LONGEST else "", "signature", "signedMessage")
    intermediate = outer.get("intermediateSigningKey")
    if not isinstance(intermediate, dict) or outer.get("protocolVersion") != PROTOCOL:
        raise _malformed()
    signed_key, message = _text(intermediate, "signedKey"), _text(outer, "signedMessage")
    signatures = intermediate.get("signatures")
    if not isinstance(signatures, list) or not 0 < len(signatures) <= 10:
        raise _malformed()
    live = [root.key for root in root_keys if root.ends_at > now]
    proof = _joined(SENDER, PROTOCOL, signed_key)
    if not any(_signed(key, _bytes(each), proof) for key in live for each in signatures):
        raise CallbackBadSignature(_("The callback is not signed by Google."))
    inner = _object(signed_key, "keyValue")
    if _moment(inner, "keyExpiration") <= now:
        raise CallbackExpiredKey(_("The key that signed the callback has ended."))
    signer = _key(_bytes(inner.get("keyValue")))
    if not _signed(signer, _bytes(outer.get("signature")), _joined(SENDER, issuer_id, PROTOCOL, message)):
        raise CallbackBadSignature(_("The callback is not signed for this issuer."))
    return _read(message, issuer_id, now)


def parse_root_keys(data: bytes) -> tuple[RootKey, ...]:
    """Return the keys of Google's list that are for this protocol; what cannot be read is left out."""
    try:
        found = json.loads(data)
        listed = found["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()
    keys = []
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and one.get("protocolVersion") == PROTOCOL:
            try:
                keys.append(RootKey(_key(_bytes(one.get("keyValue"))), _moment(one, "keyExpiration")))
            except CallbackRefused:
                continue
    return tuple(keys)


def _read(message: str, issuer_id: str, now: datetime) -> Callback:
    found = _object(message, "classId", "objectId", "eventType", "nonce")
    expires_at = _moment(found, "expTimeMillis")
    if expires_at <= now:
        raise CallbackExpired(_("The callback is too old."))
    class_id, object_id = _text(found, "classId"), _text(found, "objectId")
    if not (class_id.startswith(f"{issuer_id}.") and object_id.startswith(f"{issuer_id}.")):
        raise CallbackOtherIssuer(_("The callback is about another issuer."))
    event, nonce = _text(found, "eventType"), _text(found, "nonce")
    if event not in EVENTS or not nonce:
        raise _malformed()
    return Callback(event, class_id, object_id, nonce, expires_at)


def _joined(*parts: str) -> bytes:
    """Return what is signed: each part behind its length in bytes, four bytes with the lowest first."""
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    return b"".join(struct.pack("<I", len(part)) + part for part in encoded)


def _signed(key: ec.EllipticCurvePublicKey, signature: bytes, data: bytes) -> bool:
    try:
        key.verify(signature, data, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _key(data: bytes) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _malformed() from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _malformed()
    return key


def _object(text: str, *needed: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise _malformed() from None
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in needed):
        raise _malformed()
    return found


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str):
        raise _malformed()
    return value


def _bytes(value: object) -> bytes:
    if not isinstance(value, str):
        raise _malformed()
    try:
        return base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        raise _malformed() from None


def _moment(found: dict[str, Any], name: str) -> datetime:
    """Return a moment that is written as milliseconds, in digits."""
    value = found.get(name)
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not (text.isascii() and text.isdigit()) or len(text) > 16 or int(text) > _LAST:
        raise _malformed()
    try:
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise _malformed() from None


def _malformed() -> CallbackMalformed:
    return CallbackMalformed(_("The callback cannot be read."))
