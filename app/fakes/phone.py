"""A phone that stands in for a browser's push subscription: own keys, own decryption (RFC 8291 and 8188)."""

import base64
import json
import secrets
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HEADER = 16 + 4 + 1 + 65  # salt, record size, length of the key, the sender's key
TAG = 16


class CannotDecrypt(ValueError):
    """The body is not what this phone's keys open."""


class SimulatedPhone:
    """One subscribed phone. While it is not online, the push service keeps messages for it."""

    def __init__(self, endpoint: str, *, name: str, application_server_key: str | None = None) -> None:
        """Args:
        endpoint: where its push service takes messages for it.
        application_server_key: the only sender that it subscribed to; None takes any.
        """
        self.endpoint = endpoint
        self.name = name
        self.application_server_key = application_server_key
        self.online = True
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._public = _point(self._key.public_key())
        self._auth = secrets.token_bytes(16)

    def subscription(self) -> dict[str, Any]:
        """Return what `PushSubscription.toJSON()` gives in a browser."""
        keys = {"p256dh": encode(self._public), "auth": encode(self._auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def decrypt(self, body: bytes) -> bytes:
        """Open one message.

        Raises:
            CannotDecrypt: wrong keys, a second record, or a broken body.
        """
        salt, size, sender, sealed = split(body)
        if len(sealed) > size:
            raise CannotDecrypt("more than one record")
        try:
            public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        except ValueError as error:
            raise CannotDecrypt("the sender's key is no point of the curve") from error
        shared = self._key.exchange(ec.ECDH(), public)
        secret = _hkdf(self._auth, b"WebPush: info\0" + self._public + sender, 32, shared)
        key = _hkdf(salt, b"Content-Encoding: aes128gcm\0", 16, secret)
        nonce = _hkdf(salt, b"Content-Encoding: nonce\0", 12, secret)
        try:
            padded = AESGCM(key).decrypt(nonce, sealed, None)
        except InvalidTag as error:
            raise CannotDecrypt("made for other keys, or changed on the way") from error
        text = padded.rstrip(b"\0")
        if text[-1:] != b"\2":  # marks the last record
            raise CannotDecrypt("the record has no end")
        return text[:-1]

    def read(self, body: bytes) -> dict[str, Any]:
        """Open a message and return the notification in it. Raises CannotDecrypt."""
        plain = self.decrypt(body)
        try:
            message = json.loads(plain)
        except ValueError:
            return {"body": plain.decode(errors="replace")}
        declared = message.get("notification") if isinstance(message, dict) else None
        return declared if isinstance(declared, dict) else {"body": plain.decode()}


def split(body: bytes) -> tuple[bytes, int, bytes, bytes]:
    """Return salt, record size, sender's key and ciphertext of an aes128gcm body.

    Raises:
        CannotDecrypt: it is too short, or its header is not one of web push.
    """
    if len(body) < HEADER + TAG + 1:
        raise CannotDecrypt("too short for aes128gcm")
    size, length = int.from_bytes(body[16:20], "big"), body[20]
    if length != 65 or size < 18:
        raise CannotDecrypt("not the header of a push message")
    return body[:16], size, body[21:HEADER], body[HEADER:]


def encode(data: bytes) -> str:
    """Write base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Read base64url without padding. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _hkdf(salt: bytes, info: bytes, length: int, secret: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)
