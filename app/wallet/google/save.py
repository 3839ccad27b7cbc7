"""The link that saves a card in Google Wallet. Pure: no database, no HTTP.

With access to Google's API everything is created by REST first, and the link holds ids only. Without it, class and
object travel slim inside the link. Source: wallet.md, "Google".
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from app.core import clock
from app.core.errors import Conflict
from app.core.i18n import gettext as _
from app.wallet.google.account import ServiceAccount
from app.wallet.google.payloads import values_for
from app.wallet.model import CardView
from app.wallet.templates import Template
from app.wallet.values import fill

SAVE_URL = "https://pay.google.com/gp/v/save/"
_HEADER = '{"alg":"RS256","typ":"JWT"}'
SHORT_LINK = 800  # characters of a link with ids only; coupons that do not fit come by themselves, linked to the card
MAX_LINK = 1800  # characters; longer ones are cut off by browsers on the way to the app
NAME_BYTES = 40  # of a name, where the link has no room for more; Google itself advises 20 characters


class LinkTooLong(Conflict):
    """Even the slimmest card does not fit in a save link: an address is too long. Waiting does not help."""

    code = "wallet_google_link_too_long"


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
    values = values_for(template, view)
    for name in ("brand.name", "card.program"):  # always, not for one card only: all cards of a look share its class
        values[name] = cut(values[name])
    filled: dict[str, Any] = fill(template.google["class"], values)
    return {"id": f"{issuer_id}.{look}", **filled}


def loyalty_object(template: Template, view: CardView, *, issuer_id: str, saved: Saved) -> dict[str, Any]:
    """Return the LoyaltyObject of one card, with its rotating barcode."""
    filled: dict[str, Any] = fill(template.google["object"], values_for(template, view, saved.totp_secret))
    return {"id": f"{issuer_id}.{saved.serial}", "classId": f"{issuer_id}.{saved.look}", **filled}


def id_link(account: ServiceAccount, *, loyalty: Sequence[str], offers: Sequence[str], origins: Sequence[str]) -> str:
    """Return the address that saves objects which are at Google already.

    Args:
        loyalty, offers: names of the cards and of their coupons, without the issuer.
        origins: of the pages with the button.

    Raises:
        LinkTooLong: there are too many.
    """
    payload: dict[str, Any] = {"loyaltyObjects": [{"id": f"{account.issuer_id}.{name}"} for name in loyalty]}
    for most in range(len(offers), -1, -1):
        if most:
            payload["offerObjects"] = [{"id": f"{account.issuer_id}.{name}"} for name in offers[:most]]
        else:
            payload.pop("offerObjects", None)
        claims = _claims(account, payload, origins)
        characters = _characters(claims, account.key)
        if characters < SHORT_LINK or not most:
            break
    if characters > MAX_LINK:
        raise LinkTooLong(_("The card does not fit in a Google Wallet link."), characters=characters)
    return SAVE_URL + jwt.encode(claims, account.key, algorithm="RS256", json_encoder=_Short)


def save_link(
    account: ServiceAccount, template: Template, view: CardView, *, saved: Saved, origins: Sequence[str]
) -> str:
    """Return the address that saves the card, at most 1,800 characters.

    What does not fit is left out, the least useful first: see `_slimmer`.

    Args:
        origins: of the pages with the button, such as `https://meri.example`.

    Raises:
        LinkTooLong: it does not fit even so.
    """
    issuer = account.issuer_id
    klass = loyalty_class(template, view, issuer_id=issuer, look=saved.look)
    for slimmer, named in _slimmer(view):
        card = loyalty_object(template, slimmer, issuer_id=issuer, saved=saved)
        claims = _claims(account, {"loyaltyClasses": [klass], "loyaltyObjects": [card]}, origins if named else ())
        characters = _characters(claims, account.key)
        if characters <= MAX_LINK:
            return SAVE_URL + jwt.encode(claims, account.key, algorithm="RS256", json_encoder=_Short)
    raise LinkTooLong(_("The card does not fit in a Google Wallet link."), characters=characters)


class _Short(json.JSONEncoder):
    """Writes ä as two bytes instead of six: a save link has none to spare."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"ensure_ascii": False})


def _slimmer(view: CardView) -> Iterator[tuple[CardView, bool]]:
    """Return the card with less and less on it, and whether the link names the origins.

    Links, further coupons, the origins (Google's own button needs them, a link does not), half of the name, the coupon,
    the name, the unit.
    """
    yield view, True
    view = replace(view, links=replace(view.links, terms="", privacy=""))
    yield view, True
    view = replace(view, coupons=view.coupons[:1])
    yield view, True
    view = replace(view, links=replace(view.links, card=""))
    yield view, True
    yield view, False
    view = replace(view, member_name=cut(view.member_name))
    yield view, False
    view = replace(view, coupons=())
    yield view, False
    view = replace(view, member_name="")
    yield view, False
    yield replace(view, unit=""), False


def cut(text: str) -> str:
    """Return a name with at most 40 bytes, ended by … when it was longer."""
    data = text.encode()
    return text if len(data) <= NAME_BYTES else data[: NAME_BYTES - 3].decode(errors="ignore").rstrip() + "…"


def _claims(account: ServiceAccount, payload: Mapping[str, Any], origins: Sequence[str]) -> dict[str, Any]:
    claims = {
        "iss": account.email,
        "aud": "google",
        "typ": "savetowallet",
        "iat": int(clock.now().timestamp()),
        "payload": payload,
    }
    return claims | {"origins": list(origins)} if origins else claims


def _characters(claims: Mapping[str, Any], key: RSAPrivateKey) -> int:
    """Return how long the link of these claims is; signing only to count takes ten times longer."""
    body = json.dumps(claims, separators=(",", ":"), cls=_Short).encode()
    parts = (len(_HEADER), len(body), (key.key_size + 7) // 8)
    return len(SAVE_URL) + sum(-(-size * 4 // 3) for size in parts) + len("..")
