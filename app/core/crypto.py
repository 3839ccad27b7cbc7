"""Identifiers, secrets at rest, look-up hashes and one-time codes. Knows no database."""

import base64
import hashlib
import hmac
import secrets
import struct
from collections.abc import Mapping
from datetime import datetime

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SYMBOLS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 symbols without 0 O 1 I: five bits each
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TOTP_SECONDS = 30


def new_id(at: datetime) -> str:
    """Return a public id: 26 symbols, 48 bits of time in milliseconds before 80 random bits, so ids sort by age."""
    value = (int(at.timestamp() * 1000) << 80) | secrets.randbits(80)
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))


def random_symbols(length: int) -> str:
    """Return random symbols that people can read aloud; five bits each."""
    return "".join(secrets.choice(SYMBOLS) for _ in range(length))


def check_symbol(symbols: str) -> str:
    """Return the check symbol of a code: Luhn mod 32, which finds any one wrong symbol and most swaps of neighbors."""
    total = 0
    for place, symbol in enumerate(reversed(symbols)):
        value = SYMBOLS.index(symbol) * (2 if place % 2 == 0 else 1)
        total += value // 32 + value % 32
    return SYMBOLS[-total % 32]


def normalize_code(text: str) -> str:
    """Return a code as it is stored: upper case, without the spaces and dashes of a printed one."""
    return "".join(ch for ch in text.upper() if ch not in " -\u00a0\t")


def hash_token(token: str) -> str:
    """Return the hash under which a session token or till key (128 bits and more) is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    """Return an opaque URL-safe secret of 192 bits."""
    return secrets.token_urlsafe(24)


def new_digits(length: int = 6) -> str:
    """Return a random code of digits to type."""
    return "".join(secrets.choice("0123456789") for _ in range(length))


def same(left: str, right: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


def totp_step(at: datetime) -> int:
    """Return the number of the 30-second step that a moment lies in."""
    return int(at.timestamp()) // TOTP_SECONDS


def totp(secret: bytes, step: int) -> str:
    """Return the 6-digit code of a step (RFC 6238, SHA-1 as Google's rotating barcode uses)."""
    digest = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    offset = digest[-1] & 15
    return f"{(struct.unpack_from('>I', digest, offset)[0] & 0x7FFFFFFF) % 1_000_000:06d}"


class Keyring:
    """Encrypts what must be shown again and hashes what must be found again.

    The first key of `keys` (id → 32 bytes) encrypts; all of them decrypt. `lookup_secret` never rotates,
    since every look-up hash hangs on it.
    """

    def __init__(self, keys: Mapping[str, bytes], lookup_secret: bytes) -> None:
        if not keys:
            raise ValueError("a keyring needs a key")
        self._boxes = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._current = next(iter(keys))
        self._lookup = HKDF(SHA256(), 32, salt=None, info=b"leima lookup").derive(lookup_secret)

    def encrypt(self, plain: bytes | str) -> bytes:
        """Return `key id:nonce+ciphertext`."""
        data = plain.encode() if isinstance(plain, str) else plain
        nonce = secrets.token_bytes(12)
        key_id = self._current.encode()
        return key_id + b":" + nonce + self._boxes[self._current].encrypt(nonce, data, key_id)

    def decrypt(self, sealed: bytes) -> bytes:
        """Open what `encrypt` sealed.

        Raises:
            KeyError: the key was taken out of the settings.
            cryptography.exceptions.InvalidTag: the bytes were changed.
        """
        key_id, _, rest = bytes(sealed).partition(b":")
        return self._boxes[key_id.decode()].decrypt(rest[:12], rest[12:], key_id)

    def text(self, sealed: bytes) -> str:
        """Open a sealed text."""
        return self.decrypt(sealed).decode()

    def lookup(self, purpose: str, value: str) -> str:
        """Return the hash under which a secret is found again; `purpose` keeps kinds apart."""
        return hmac.digest(self._lookup, f"{purpose}\0{value}".encode(), "sha256").hex()


def parse_keys(text: str) -> dict[str, bytes]:
    """Read `id:base64,id:base64` as the settings hold it.

    Raises:
        ValueError: a key is not 32 bytes of base64 or has no id.
    """
    keys: dict[str, bytes] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        key_id, separator, encoded = part.partition(":")
        key = base64.b64decode(encoded, validate=True) if separator else b""
        if not key_id or len(key) != 32:
            raise ValueError("each key is written id:base64 of 32 bytes")
        keys[key_id] = key
    return keys
