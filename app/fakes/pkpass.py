"""Opens a pass file as iOS does: what is missing, changed or unsigned is refused."""

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID

from app.core import clock
from app.fakes.pkcs7 import SignatureRefused, verify

REQUIRED = ("formatVersion", "passTypeIdentifier", "serialNumber", "teamIdentifier", "organizationName", "description")
STYLES = ("storeCard", "coupon", "generic", "eventTicket", "boardingPass")
FIELD_LISTS = ("headerFields", "primaryFields", "secondaryFields", "auxiliaryFields", "backFields")
LONGEST = 10_000_000  # bytes, unpacked


class PkpassRefused(ValueError):
    """No phone would take this file."""


@dataclass(frozen=True)
class Pkpass:
    """A pass that a phone has taken."""

    serial: str
    pass_type: str
    organization: str
    token: str = field(repr=False)
    web_service_url: str
    voided: bool
    expires: str
    fields: dict[str, str]  # key to value
    labels: dict[str, str]  # key to label, as it is written in the pass
    messages: dict[str, str]  # key to the message of its change
    face: dict[str, Any] = field(repr=False)  # pass.json
    files: dict[str, bytes] = field(repr=False)


def open_pass(data: bytes, *, authority: bytes = b"") -> Pkpass:
    """Return what is in a `.pkpass`.

    The manifest must name every file with its hash, and must be signed by the pass type's own certificate.

    Args:
        authority: PEM certificates, the root last, that issued the signer's.

    Raises:
        PkpassRefused: with the reason.
    """
    files = _unpacked(data)
    for needed in ("pass.json", "manifest.json", "signature", "icon.png"):
        if needed not in files:
            raise PkpassRefused(f"no {needed}")
    _check_manifest(files)
    face = _object(files["pass.json"], "pass.json")
    for key in REQUIRED:
        if not face.get(key):
            raise PkpassRefused(f"pass.json has no {key}")
    style = next((name for name in STYLES if name in face), None)
    if style is None or face["formatVersion"] != 1:
        raise PkpassRefused("no style, or another format than 1")
    signer, inside = _signer(files)
    _check_signer(signer, face["passTypeIdentifier"], face["teamIdentifier"])
    _check_chain(signer, inside, authority)
    url, token = face.get("webServiceURL", ""), face.get("authenticationToken", "")
    if url and len(token) < 16:
        raise PkpassRefused("a web service without a token of 16 characters")
    shown = [one for name in FIELD_LISTS for one in face[style].get(name, [])]
    if len({one["key"] for one in shown}) != len(shown):
        raise PkpassRefused("a field key is used twice")
    messages = {one["key"]: one["changeMessage"] for one in shown if "%@" in one.get("changeMessage", "")}
    return Pkpass(
        face["serialNumber"], face["passTypeIdentifier"], face["organizationName"], token, url,
        bool(face.get("voided")), face.get("expirationDate", ""), {one["key"]: str(one["value"]) for one in shown},
        {one["key"]: one.get("label", "") for one in shown}, messages, face, files,
    )  # fmt: skip


def _unpacked(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(info.file_size for info in archive.infolist()) > LONGEST:
                raise PkpassRefused("too large")
            return {name: archive.read(name) for name in archive.namelist()}
    except zipfile.BadZipFile as error:
        raise PkpassRefused("not a zip file") from error


def _check_manifest(files: dict[str, bytes]) -> None:
    manifest = _object(files["manifest.json"], "manifest.json")
    others = {name for name in files if name not in ("manifest.json", "signature")}
    if set(manifest) != others:
        raise PkpassRefused("the manifest names other files than there are")
    for name in others:
        if hashlib.sha1(files[name], usedforsecurity=False).hexdigest() != manifest[name]:
            raise PkpassRefused(f"{name} is not what was signed")


def _signer(files: dict[str, bytes]) -> tuple[x509.Certificate, list[x509.Certificate]]:
    try:
        return verify(files["signature"], files["manifest.json"])
    except SignatureRefused as refused:
        raise PkpassRefused(str(refused)) from refused


def _check_signer(signer: x509.Certificate, pass_type: str, team: str) -> None:
    named = {(part.oid, part.value) for part in signer.subject}
    if not {(NameOID.USER_ID, pass_type), (NameOID.ORGANIZATIONAL_UNIT_NAME, team)} <= named:
        raise PkpassRefused("signed for another pass type or team")


def _check_chain(signer: x509.Certificate, inside: list[x509.Certificate], authority: bytes) -> None:
    issuer = next((each for each in inside if each.subject == signer.issuer), None)
    if issuer is None:
        raise PkpassRefused("Apple's intermediate certificate is not in it")
    now = clock.now()
    for each in (signer, issuer):
        if not each.not_valid_before_utc <= now <= each.not_valid_after_utc:
            raise PkpassRefused("a certificate is not valid now")
    roots = x509.load_pem_x509_certificates(authority) if authority else []
    pairs = [(signer, issuer), *((issuer, root) for root in roots if root.subject == issuer.issuer)]
    if roots and len(pairs) == 1:
        raise PkpassRefused("not issued by an authority that the phone knows")
    for below, above in pairs:
        try:
            below.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise PkpassRefused("the chain of certificates is broken") from error


def _object(data: bytes, name: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError as error:
        raise PkpassRefused(f"{name} is no JSON") from error
    if not isinstance(found, dict):
        raise PkpassRefused(f"{name} is no object")
    return found
