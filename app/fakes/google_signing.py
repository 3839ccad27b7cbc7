"""Signs callbacks as Google does (ECv2SigningOnly): a root key, an intermediate one, and the message."""

import base64
import json
import secrets
import struct
from collections.abc import Callable
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PROTOCOL, SENDER = "ECv2SigningOnly", "GooglePayPasses"


class CallbackSigner:
    """Google's side of callbacks for one issuer."""

    def __init__(self, issuer_id: str, now: Callable[[], datetime]) -> None:
        self.issuer_id = issuer_id
        self._now = now
        self._root = ec.generate_private_key(ec.SECP256R1())

    def root_keys(self) -> bytes:
        """Return the list of keys that Google publishes."""
        ends = _millis(self._now() + timedelta(days=365))
        keys = [{"keyValue": _public(self._root), "protocolVersion": PROTOCOL, "keyExpiration": ends}]
        return json.dumps({"keys": keys}).encode()

    def new_root(self) -> None:
        """Sign with another root key from now on."""
        self._root = ec.generate_private_key(ec.SECP256R1())

    def callback(
        self,
        event: str,
        class_id: str,
        object_id: str,
        *,
        recipient: str | None = None,
        root: ec.EllipticCurvePrivateKey | None = None,
        signer: ec.EllipticCurvePrivateKey | None = None,
        intermediate_ends: datetime | None = None,
        expires: datetime | None = None,
        nonce: str | None = None,
    ) -> bytes:
        """Return the body of a callback, right in everything that is not given otherwise.

        Args:
            recipient: whom it is signed for, in place of the issuer.
            root: signs the intermediate key, in place of the published one.
            signer: signs the message, in place of the intermediate key.
        """
        intermediate = ec.generate_private_key(ec.SECP256R1())
        ends = intermediate_ends or self._now() + timedelta(days=7)
        signed_key = json.dumps({"keyValue": _public(intermediate), "keyExpiration": _millis(ends)})
        message = json.dumps(
            {
                "classId": class_id, "objectId": object_id, "eventType": event,
                "expTimeMillis": int(_millis(expires or self._now() + timedelta(hours=1))),
                "nonce": nonce or secrets.token_hex(16),
            },
            ensure_ascii=False,
        )  # fmt: skip
        by_root = _sign(root or self._root, SENDER, PROTOCOL, signed_key)
        by_signer = _sign(signer or intermediate, SENDER, recipient or self.issuer_id, PROTOCOL, message)
        body = {
            "signature": by_signer,
            "intermediateSigningKey": {"signedKey": signed_key, "signatures": [by_root]},
            "protocolVersion": PROTOCOL,
            "signedMessage": message,
        }
        return json.dumps(body, ensure_ascii=False).encode()


def _sign(key: ec.EllipticCurvePrivateKey, *parts: str) -> str:
    encoded = [part.encode() for part in parts]
    data = b"".join(struct.pack("<I", len(part)) + part for part in encoded)
    return base64.b64encode(key.sign(data, ec.ECDSA(SHA256()))).decode()


def _public(key: ec.EllipticCurvePrivateKey) -> str:
    data = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(data).decode()


def _millis(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))
