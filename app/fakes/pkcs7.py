"""Verifies the detached PKCS#7 signature of a pass as a phone does; cryptography signs such, but verifies none.

Source: RFC 5652, sections 5.1 to 5.6; Apple, "Building a Pass" (the signing time is required).
"""

import hashlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import pkcs7

_SEQUENCE, _SET, _OWN, _INTEGER, _OCTETS, _OID = 0x30, 0x31, 0xA0, 0x02, 0x04, 0x06
_DATA = bytes.fromhex("2a864886f70d010701")
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_CONTENT_TYPE = bytes.fromhex("2a864886f70d010903")
_MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
_SIGNING_TIME = bytes.fromhex("2a864886f70d010905")
_SHA256 = bytes.fromhex("608648016503040201")


class SignatureRefused(ValueError):
    """It is no PKCS#7 signature, or not one of these bytes."""


@dataclass(frozen=True, slots=True)
class _Value:
    """One DER value: its tag, what is in it, and all of it as written."""

    tag: int
    content: bytes
    whole: bytes

    def inside(self, *tags: int) -> list["_Value"]:
        """Return the values that it holds; the first ones must have these tags."""
        found = _values(self.content)
        if [one.tag for one in found[: len(tags)]] != list(tags):
            raise SignatureRefused("its parts are not in the order of RFC 5652")
        return found


def verify(signature: bytes, data: bytes) -> tuple[x509.Certificate, list[x509.Certificate]]:
    """Return who signed these bytes, and all certificates of the signature.

    The chain of the signer's certificate is the caller's to check.

    Raises:
        SignatureRefused: not DER, not of these bytes, or not by the certificate that it names.
    """
    try:
        inside = pkcs7.load_der_pkcs7_certificates(signature)
        signer_info = _signer_info(signature)
    except (ValueError, IndexError) as error:
        raise SignatureRefused("the signature is none") from error
    _version, issuer_and_serial, digest, *rest = signer_info.inside(_INTEGER, _SEQUENCE, _SEQUENCE, _OWN, _SEQUENCE)
    attributes, _algorithm, encrypted = rest[:3]
    if digest.inside(_OID)[0].content != _SHA256 or encrypted.tag != _OCTETS:
        raise SignatureRefused("the signature is not of SHA-256")
    _check_attributes(attributes, data)
    signer = _named(issuer_and_serial, inside)
    key = signer.public_key()
    if not isinstance(key, RSAPublicKey):
        raise SignatureRefused("the signer's key is not RSA")
    try:
        # What is signed is a set; it is written under a tag of its own (5.4).
        key.verify(encrypted.content, bytes([_SET]) + attributes.whole[1:], PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise SignatureRefused("the signature was not made by its signer") from error
    return signer, inside


def _signer_info(signature: bytes) -> _Value:
    (outer,) = _values(signature)
    kind, content = outer.inside(_OID, _OWN)
    (signed_data,) = content.inside(_SEQUENCE)
    _version, _digests, encapsulated, *_rest = parts = signed_data.inside(_INTEGER, _SET, _SEQUENCE)
    if kind.content != _SIGNED_DATA or [one.content for one in encapsulated.inside(_OID)] != [_DATA]:
        raise SignatureRefused("not a detached signature")
    (signer_info,) = parts[-1].inside(_SEQUENCE)
    return signer_info


def _check_attributes(attributes: _Value, data: bytes) -> None:
    found: dict[bytes, _Value] = {}
    for attribute in attributes.inside():
        name, values = attribute.inside(_OID, _SET)
        (found[name.content],) = values.inside()
    if not {_CONTENT_TYPE, _MESSAGE_DIGEST, _SIGNING_TIME} <= set(found):
        raise SignatureRefused("content type, digest or signing time is not signed")
    if found[_CONTENT_TYPE].content != _DATA or found[_MESSAGE_DIGEST].content != hashlib.sha256(data).digest():
        raise SignatureRefused("the signature is of other bytes")


def _named(issuer_and_serial: _Value, inside: list[x509.Certificate]) -> x509.Certificate:
    issuer, serial = issuer_and_serial.inside(_SEQUENCE, _INTEGER)
    number = int.from_bytes(serial.content, "big", signed=True)
    for each in inside:
        if each.serial_number == number and each.issuer.public_bytes() == issuer.whole:
            return each
    raise SignatureRefused("the signer's certificate is not in it")


def _values(der: bytes) -> list[_Value]:
    found, at = [], 0
    while at < len(der):
        begin, size = at + 2, der[at + 1]
        if size >= 0x80:
            begin, size = begin + (size & 0x7F), int.from_bytes(der[begin : begin + (size & 0x7F)], "big")
        if begin + size > len(der):
            raise SignatureRefused("it is cut short")
        found.append(_Value(der[at], der[begin : begin + size], der[at : begin + size]))
        at = begin + size
    return found
