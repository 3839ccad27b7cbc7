"""Google Wallet: the loyalty class and object of a card, and the link that saves it. Pure: no database, no HTTP.

Source: wallet.md, "Google". Until classes and objects are created by REST, both travel slim inside the link.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.core import clock
from app.core.errors import Unavailable
from app.core.i18n import gettext as _
from app.wallet.model import CardView
from app.wallet.templates import Template
from app.wallet.values import fill

SAVE_URL = "https://pay.google.com/gp/v/save/"
_HEADER = '{"alg":"RS256","typ":"JWT"}'
MAX_LINK = 1800  # characters; longer ones are cut off by browsers on the way to the app


class ServiceAccountUnusable(Unavailable):
    """Google's service account cannot sign; stamps and joining go on."""

    code = "wallet_google_account_unusable"


class LinkTooLong(Unavailable):
    """Even the slimmest card does not fit in a save link: its names or addresses are too long."""

    code = "wallet_google_link_too_long"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Who signs save links: PyJWT gets the parsed key, since it would parse PEM text for each link."""

    email: str
    key: RSAPrivateKey = field(repr=False)
    issuer_id: str

    @classmethod
    def load(cls, text: str | bytes, *, issuer_id: str) -> "ServiceAccount":
        """Parse the JSON file that Google gives for a service account.

        Raises:
            ServiceAccountUnusable: no such file, or no RSA key in it.
        """
        try:
            found = json.loads(text)
            key = load_pem_private_key(found["private_key"].encode(), None)
            email = str(found["client_email"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ServiceAccountUnusable(_("The Google service account cannot be read.")) from error
        if not isinstance(key, RSAPrivateKey):
            raise ServiceAccountUnusable(_("The key of the Google service account is no RSA key."))
        return cls(email, key, issuer_id)


@dataclass(frozen=True, slots=True)
class Saved:
    """What Google's side of a card is called: `<issuer id>.<key>`; letters, digits and . _ - only.

    `look` names the class (one for each program version's look), `serial` the object (one for each card), and
    `totp_secret` is the card's own; Google makes the rotating code from it on the phone.
    """

    look: str
    serial: str
    totp_secret: bytes = field(repr=False)


def loyalty_class(template: Template, view: CardView, *, issuer_id: str, look: str) -> dict[str, Any]:
    """Return the LoyaltyClass of a program's look; never a draft again once it is under review."""
    filled: dict[str, Any] = fill(template.google["class"], _values(template, view, None))
    return {"id": f"{issuer_id}.{look}", **filled}


def loyalty_object(template: Template, view: CardView, *, issuer_id: str, saved: Saved) -> dict[str, Any]:
    """Return the LoyaltyObject of one card, with its rotating barcode."""
    filled: dict[str, Any] = fill(template.google["object"], _values(template, view, saved.totp_secret))
    return {"id": f"{issuer_id}.{saved.serial}", "classId": f"{issuer_id}.{saved.look}", **filled}


def save_link(
    account: ServiceAccount, template: Template, view: CardView, *, saved: Saved, origins: Sequence[str]
) -> str:
    """Return the address that saves the card, at most 1,800 characters.

    What does not fit is left out, the least useful first: links, further coupons, then the coupon.

    Args:
        origins: of the pages with the button, such as `https://meri.example`.

    Raises:
        LinkTooLong: it does not fit even so.
    """
    issuer = account.issuer_id
    klass = loyalty_class(template, view, issuer_id=issuer, look=saved.look)
    for slimmer in _slimmer(view):
        card = loyalty_object(template, slimmer, issuer_id=issuer, saved=saved)
        claims = _claims(account, {"loyaltyClasses": [klass], "loyaltyObjects": [card]}, origins)
        characters = _characters(claims, account.key)
        if characters <= MAX_LINK:
            return SAVE_URL + jwt.encode(claims, account.key, algorithm="RS256", json_encoder=_Short)
    raise LinkTooLong(_("The card does not fit in a Google Wallet link."), characters=characters)


class _Short(json.JSONEncoder):
    """Writes ä as two bytes instead of six: a save link has none to spare."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"ensure_ascii": False})


def _slimmer(view: CardView) -> Sequence[CardView]:
    """Return the card with less and less on it."""
    card_only = replace(view, links=replace(view.links, terms="", privacy=""))
    first = replace(card_only, coupons=view.coupons[:1])
    no_links = replace(first, links=replace(first.links, card=""))
    return (view, card_only, first, no_links, replace(no_links, coupons=()))


def _claims(account: ServiceAccount, payload: Mapping[str, Any], origins: Sequence[str]) -> dict[str, Any]:
    return {
        "iss": account.email,
        "aud": "google",
        "typ": "savetowallet",
        "iat": int(clock.now().timestamp()),
        "origins": list(origins),
        "payload": payload,
    }


def _characters(claims: Mapping[str, Any], key: RSAPrivateKey) -> int:
    """Return how long the link of these claims is; signing only to count takes ten times longer."""
    body = json.dumps(claims, separators=(",", ":"), cls=_Short).encode()
    parts = (len(_HEADER), len(body), (key.key_size + 7) // 8)
    return len(SAVE_URL) + sum(-(-size * 4 // 3) for size in parts) + len("..")


def _values(template: Template, view: CardView, totp_secret: bytes | None) -> dict[str, str]:
    """Return the placeholders' values with those that Apple's pass must not hold."""
    values = template.values(view)
    values["member.qr_pattern"] = f"{view.member_qr}.{{totp_value_0}}"
    if totp_secret is not None:
        values["member.totp_key"] = totp_secret.hex().upper()
    return values
