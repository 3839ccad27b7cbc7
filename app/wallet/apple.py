"""Apple Wallet passes: filled from a template and signed in this process. Pure: no database, no HTTP.

The model is wallet-py3k's. What it does not do, or does through an `openssl` process with the key's password on the
command line, is overridden here. Source: wallet.md, "Apple pass".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from wallet import models

from app.core import clock
from app.wallet.archive import Entry, archive
from app.wallet.model import CardView
from app.wallet.signer import Signer
from app.wallet.template_checks import FIELD_LISTS, STYLES
from app.wallet.templates import Template
from app.wallet.values import prune, replace, says_nothing

MEDIA_TYPE = "application/vnd.apple.pkpass"
_INFORMATION = {
    "storeCard": models.StoreCard,
    "coupon": models.Coupon,
    "generic": models.Generic,
    "eventTicket": models.EventTicket,
}
# What pass.json may say beside its style, and the model does not know or writes wrongly.
_EXTRAS = ("barcodes", "maxDistance", "sharingProhibited", "suppressStripShine")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a phone offers the pass by itself; degrees, and the line that it shows."""

    latitude: float
    longitude: float
    text: str = ""


class LeimaPass(models.Pass):  # type: ignore[misc]  # the library has no types
    """wallet-py3k's pass with today's keys, true hashes and a signature made in process."""

    def __init__(
        self, face: Mapping[str, Any], signer: Signer, entries: Iterable[Entry], notify: Mapping[str, str]
    ) -> None:
        style = next(name for name in STYLES if name in face)
        super().__init__(
            _information(style, face[style], notify),
            passTypeIdentifier=signer.pass_type_id,
            organizationName=face["organizationName"],
            teamIdentifier=signer.team_id,
        )
        self.signer = signer
        self.entries = tuple(entries)
        self.extras: dict[str, Any] = {name: face[name] for name in _EXTRAS if name in face}
        for name in ("description", "logoText", "backgroundColor", "foregroundColor", "labelColor"):
            setattr(self, name, face.get(name, ""))

    def signed(self) -> bytes:
        """Return the `.pkpass`. The signature is the only part that differs from one call to the next."""
        # Certificate, key and password are the signer's: none passes through the library.
        packed: BytesIO = self.create(None, None, None, None)
        return packed.getvalue()

    def json_dict(self) -> dict[str, Any]:
        """Return pass.json without anything empty, with the keys that the library does not know."""
        found: dict[str, Any] = prune(super().json_dict() | self.extras)
        return found

    def _createManifest(self, pass_json: bytes) -> bytes:
        self._hashes = {entry.name: entry.sha1 for entry in self.entries}  # the library's would be those of last time
        manifest: bytes = super()._createManifest(pass_json)
        return manifest

    def _createSignature(self, manifest: bytes, *_paths: None) -> bytes:
        return sign(manifest, self.signer)

    def _createZip(self, pass_json: bytes, manifest: bytes, signature: bytes, zip_file: BytesIO) -> None:
        head = (("signature", signature), ("manifest.json", manifest), ("pass.json", pass_json))
        zip_file.write(archive([*(Entry.of(name, data) for name, data in head), *self.entries]))


def build_pass(
    template: Template,
    view: CardView,
    *,
    signer: Signer,
    serial: str,
    token: str = "",
    web_service_url: str | None = None,
    expires: datetime | None = None,
    voided: bool = False,
    places: Sequence[Place] = (),
    max_distance: int | None = None,
) -> bytes:
    """Return a card's signed `.pkpass`.

    Args:
        serial: names the pass for ever; the same card has the same one on every phone.
        token: the pass's own, at least 16 characters; written only with a web service, never changed.
        web_service_url: left out, the pass stays as it was downloaded.
        expires: aware; after it the phone shows the pass as expired.
        places: at most ten, the most relevant first.
        max_distance: meters around a place at which the phone offers the pass.

    Raises:
        SignerError: the certificate is not valid now; an unsigned pass is never made.
    """
    signer.check(clock.now())
    face = replace(template.apple, template.values(view))
    made = LeimaPass(face, signer, template.entries(view), template.notify)
    made.serialNumber = serial
    made.voided = voided
    if expires is not None:
        made.exprirationDate = expires.isoformat(timespec="seconds")  # spelled so by the library
    if web_service_url is not None:
        made.webServiceURL, made.authenticationToken = web_service_url, token
    if places:
        made.extras["locations"] = [
            {"latitude": place.latitude, "longitude": place.longitude, "relevantText": place.text}
            for place in places[:10]
        ]
        made.extras["maxDistance"] = max_distance
    return made.signed()


def sign(manifest: bytes, signer: Signer) -> bytes:
    """Return the detached PKCS#7 signature of a manifest, DER, SHA-256, with Apple's intermediate certificate."""
    return (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(manifest)
        .add_signer(signer.certificate, signer.key, hashes.SHA256())
        .add_certificate(signer.wwdr)
        .sign(Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary])
    )


def _information(style: str, parts: Mapping[str, Any], notify: Mapping[str, str]) -> models.PassInformation:
    """Return the library's fields of a filled style."""
    information = _INFORMATION[style]()
    for name in FIELD_LISTS:
        for part in parts.get(name, []):
            if says_nothing(part):
                continue
            made = models.Field(part["key"], part["value"], part.get("label", ""))
            made.textAlignment = ""  # the library's default turns the header's number to the left
            vars(made).update(part)
            made.changeMessage = notify.get(part["key"], "")
            getattr(information, name).append(made)
    return information
