"""The detached PKCS#7 signature of a manifest: framed once for each certificate, signed for each pass. Pure.

`PKCS7SignatureBuilder` writes both certificates anew each time, an eighth of what RSA itself costs. So it makes one
signature for each certificate; in a copy of that the digest, the time and the RSA signature are replaced. All three
have a fixed length, so nothing else changes. The frame is only taken if what was read out of it verifies.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

_OPTIONS = (pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary)
_PADDING, _SHA256 = PKCS1v15(), hashes.SHA256()
LAST_YEAR = 2049  # that UTCTime can name
_SAMPLE = b"{}"
_SET, _OWN, _OCTETS = 0x31, 0xA0, 0x04  # DER tags: attributes are signed as a set and written under a tag of their own
_SIGNED_AS, _WRITTEN_AS = bytes([_SET]), bytes([_OWN])
_UTC_TIME = bytes.fromhex("06092a864886f70d010905310f170d")  # signing time: its OID, a set of one UTCTime, 13 long
_DIGEST = bytes.fromhex("06092a864886f70d01090431220420")  # message digest: its OID, a set of one string, 32 long


def sign(data: bytes, certificate: x509.Certificate, key: RSAPrivateKey, wwdr: x509.Certificate) -> bytes:
    """Return a signature as the library makes it: DER, SHA-256, detached, binary, with Apple's certificate added."""
    return (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(data)
        .add_signer(certificate, key, _SHA256)
        .add_certificate(wwdr)
        .sign(Encoding.DER, _OPTIONS)
    )


@dataclass(frozen=True, slots=True)
class Frame:
    """A signature of one certificate, cut where digest, time and RSA signature stand."""

    key: RSAPrivateKey = field(repr=False)
    before: bytes = field(repr=False)  # up to the signed attributes' tag
    attributes: tuple[bytes, bytes, bytes] = field(
        repr=False
    )  # around their two values; what is signed has another tag
    time_first: bool
    between: bytes = field(repr=False)  # from the attributes to the RSA signature

    @classmethod
    def of(cls, certificate: x509.Certificate, key: RSAPrivateKey, wwdr: x509.Certificate) -> "Frame":
        """Let the library sign once, and take that apart.

        Raises:
            ValueError: the library lays it out in another way.
        """
        made = sign(_SAMPLE, certificate, key, wwdr)
        start, end, at = _places(made)
        signed = _SIGNED_AS + made[start + 1 : end]
        key.public_key().verify(made[at:], signed, _PADDING, _SHA256)
        time, digest = (made.index(mark, start, end) + len(mark) for mark in (_UTC_TIME, _DIGEST))
        if made[digest : digest + 32] != hashlib.sha256(_SAMPLE).digest():
            raise ValueError("another digest stands in the signature")
        (first, size), (second, rest) = sorted([(time, 13), (digest, 32)])
        cuts = (made[start + 1 : first], made[first + size : second], made[second + rest : end])
        return cls(key, made[:start], cuts, time < digest, made[end:at])

    def sign(self, data: bytes, at: datetime) -> bytes:
        """Return the signature of data made at a moment, aware; not after `LAST_YEAR`."""
        time, digest = f"{at.astimezone(UTC):%y%m%d%H%M%SZ}".encode(), hashlib.sha256(data).digest()
        first, second = (time, digest) if self.time_first else (digest, time)
        head, middle, tail = self.attributes
        attributes = b"".join((head, first, middle, second, tail))
        signature = self.key.sign(_SIGNED_AS + attributes, _PADDING, _SHA256)
        return b"".join((self.before, _WRITTEN_AS, attributes, self.between, signature))


def _places(made: bytes) -> tuple[int, int, int]:
    """Return where the signed attributes begin and end, and where the RSA signature begins; it is the last thing.

    Source: RFC 5652, 5.1 and 5.3.
    """
    content_info = _parts(made, 0, len(made))[0]
    content = _parts(made, *_inside(content_info))[-1]
    signed_data = _parts(made, *_inside(content))[0]
    signers = _parts(made, *_inside(signed_data))[-1]
    signer = _parts(made, *_inside(signers))[0]
    attributes, _algorithm, signature = _parts(made, *_inside(signer))[-3:]
    if made[attributes[0]] != _OWN or made[signature[0]] != _OCTETS or signature[2] != len(made):
        raise ValueError("the parts of the signature stand in another order")
    return attributes[0], attributes[2], signature[1]


_Part = tuple[int, int, int]  # where a DER value begins, its content begins, and both end


def _inside(part: _Part) -> tuple[int, int]:
    return part[1:]


def _parts(der: bytes, at: int, end: int) -> list[_Part]:
    """Return the DER values that stand side by side between two places."""
    found = []
    while at < end:
        inside, size = at + 2, der[at + 1]
        if size >= 0x80:
            inside, size = inside + (size & 0x7F), int.from_bytes(der[inside : inside + (size & 0x7F)], "big")
        found.append((at, inside, inside + size))
        at = inside + size
    return found
