"""Apple Wallet passes: filled from a template and signed in this process. Pure: no database, no HTTP.

The model is wallet-py3k's. What it does not do, or does through an `openssl` process with the key's password on the
command line, is overridden here. Source: wallet.md, "Apple pass".
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

from wallet import models

from app.core import clock
from app.wallet.archive import Entry, archive, manifest
from app.wallet.faces import Face, Values, face_of
from app.wallet.model import PassView
from app.wallet.signer import Signer
from app.wallet.templates import Template

MEDIA_TYPE = "application/vnd.apple.pkpass"
_STYLES = {
    "storeCard": models.StoreCard,
    "coupon": models.Coupon,
    "generic": models.Generic,
    "eventTicket": models.EventTicket,
}
# What pass.json may say beside its style, and the model does not know or writes wrongly.
_EXTRAS = ("sharingProhibited", "suppressStripShine")
_LOOKS = ("description", "logoText", "backgroundColor", "foregroundColor", "labelColor")
_JSON = json.JSONEncoder(separators=(",", ":"), check_circular=False)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a phone offers the pass by itself; degrees, and the line that it shows."""

    latitude: float
    longitude: float
    text: str = ""


class LeimaPass(models.Pass):  # type: ignore[misc]  # the library has no types
    """wallet-py3k's pass with today's keys, true hashes and a signature made in process."""

    def __init__(self, face: Face, values: Values, signer: Signer, entries: Iterable[Entry]) -> None:
        top = face.top(values)
        super().__init__(
            _STYLES[face.style](),
            passTypeIdentifier=signer.pass_type_id,
            organizationName=top.get("organizationName", ""),
            teamIdentifier=signer.team_id,
        )
        self.signer = signer
        self.entries = tuple(entries)
        self.listed: tuple[Entry, ...] = ()
        self.packed = b""
        self.extras: dict[str, Any] = {name: top[name] for name in _EXTRAS if name in top}
        self.rest = face.rest(values)
        for name in _LOOKS:
            setattr(self, name, top.get(name, ""))

    def signed(self) -> bytes:
        """Return the `.pkpass`. The signature is the only part that differs from one call to the next."""
        # Certificate, key and password are the signer's: none passes through the library.
        self.create(None, None, None, None)
        return self.packed

    def json_dict(self) -> dict[str, Any]:
        """Return pass.json beside fields and barcodes, without what is empty, with keys that the library lacks."""
        every = super().json_dict() | self.extras
        return {name: value for name, value in every.items() if value or value == 0}

    def _createPassJson(self) -> bytes:
        # The library's fields write an empty change message each, and an alignment that turns the number to the left.
        return f"{_JSON.encode(self.json_dict())[:-1]},{self.rest}}}".encode()

    def _createManifest(self, pass_json: bytes) -> bytes:
        # The library would hash every image again, and add the hashes of last time.
        self.listed = (Entry.of("pass.json", pass_json), *self.entries)
        return manifest(self.listed)

    def _createSignature(self, manifest: bytes, *_paths: None) -> bytes:
        return self.signer.sign(manifest, clock.now())

    def _createZip(self, _pass_json: bytes, manifest: bytes, signature: bytes, zip_file: BytesIO) -> None:
        head = (Entry.of("signature", signature, listed=False), Entry.of("manifest.json", manifest, listed=False))
        self.packed = archive([*head, *self.listed])  # as it is: the file would copy it twice


def build_pass(
    template: Template,
    view: PassView,
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
    """Return a signed `.pkpass`.

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
    made = LeimaPass(face_of(template), template.values(view), signer, template.entries(view))
    made.serialNumber = serial
    made.voided = voided
    if expires is not None:
        made.exprirationDate = expires.isoformat(timespec="seconds")  # spelled so by the library
    if web_service_url is not None:
        made.webServiceURL, made.authenticationToken = web_service_url, token
    if places:
        made.extras["locations"] = [
            {"latitude": place.latitude, "longitude": place.longitude}
            | ({"relevantText": place.text} if place.text else {})
            for place in places[:10]
        ]
        made.extras["maxDistance"] = max_distance
    return made.signed()
