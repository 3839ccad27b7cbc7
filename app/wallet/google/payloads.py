"""Classes, objects and messages of Google Wallet, filled from a template. Pure: no database, no HTTP.

Source: wallet.md, "Google".
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.wallet.apple import Place
from app.wallet.model import PassView
from app.wallet.templates import Template
from app.wallet.values import fill

KINDS = {"stamp_card": "loyalty", "bonus_card": "loyalty", "coupon": "offer", "gift_card": "giftCard"}
NOTIFY = {"notifyPreference": "NOTIFY_ON_UPDATE"}  # said each time: Google does not keep it
MOST_PLACES = 10  # Google refuses more


def kind_of(template: Template) -> str:
    """Return what Google calls a template's kind: loyalty, offer or giftCard."""
    return KINDS[template.kind]


def class_payload(
    template: Template, view: PassView, *, issuer_id: str, class_name: str, callback_url: str
) -> dict[str, Any]:
    """Return the class of a program or reward, under review from its first moment and never a draft again.

    A text that the template can show and this class does not is sent empty, as in an object.

    Args:
        view: what a pass of this class shows, in the brand's own language.
        callback_url: where Google tells of saves and removals.
    """
    pattern = template.google["class"]
    filled: dict[str, Any] = fill(pattern, values_for(template, view))
    return {
        "id": f"{issuer_id}.{class_name}",
        "multipleDevicesAndHoldersAllowedStatus": "MULTIPLE_HOLDERS",  # a new phone may be of another account
        "callbackOptions": {"url": callback_url},
        **{key: "" for key, value in pattern.items() if isinstance(value, str) and key not in filled},
        **filled,
    }


def object_payload(
    template: Template,
    view: PassView,
    *,
    issuer_id: str,
    class_name: str,
    serial: str,
    totp_secret: bytes | None = None,
    linked: Sequence[str] = (),
    places: Sequence[Place] = (),
    expires: datetime | None = None,
) -> dict[str, Any]:
    """Return the object of one pass.

    What the template can show and this pass does not is sent empty: a PATCH would leave the old words there.

    Args:
        totp_secret: of the card's moving code; Google makes it on the phone.
        linked: names of the coupons' objects that come along with the card.
        expires: aware; after it Google shows the pass among the expired ones.
    """
    pattern = template.google["object"]
    filled: dict[str, Any] = fill(pattern, values_for(template, view, totp_secret))
    emptied = {key: type(value)() for key, value in pattern.items() if key not in filled}
    near = [{"latitude": place.latitude, "longitude": place.longitude} for place in places[:MOST_PLACES]]
    made = {
        "id": f"{issuer_id}.{serial}",
        "classId": f"{issuer_id}.{class_name}",
        "merchantLocations": near,  # empty too: the last outlet may have closed
        **emptied,
        **filled,
    }
    if kind_of(template) == "loyalty":
        made["linkedObjectIds"] = [f"{issuer_id}.{name}" for name in linked]
    if expires is not None:
        made["validTimeInterval"] = {"end": {"date": expires.astimezone(UTC).isoformat(timespec="seconds")}}
    return made


def message_payload(
    *,
    name: str,
    header: str,
    body: str,
    ends_at: datetime,
    notify: bool,
    texts: Mapping[str, tuple[str, str]] | None = None,
) -> dict[str, Any]:
    """Return the request that adds a message to a class or an object.

    Args:
        name: tells messages apart; whether Google drops one that comes twice is not documented.
        ends_at: aware; until then the card shows it.
        texts: language → headline and text, for a class, whose holders speak several.
    """
    message: dict[str, Any] = {
        "id": name,
        "header": header,
        "body": body,
        "messageType": "TEXT_AND_NOTIFY" if notify else "TEXT",
        "displayInterval": {"end": {"date": ends_at.astimezone(UTC).isoformat(timespec="seconds")}},
    }
    if texts:
        message["localizedHeader"] = _localized({code: pair[0] for code, pair in texts.items()})
        message["localizedBody"] = _localized({code: pair[1] for code, pair in texts.items()})
    return {"message": message}


def values_for(template: Template, view: PassView, totp_secret: bytes | None = None) -> dict[str, str]:
    """Return the placeholders' values with those that Apple's pass must not hold."""
    values = template.values(view)
    values["member.qr_pattern"] = f"{view.member_qr}.{{totp_value_0}}"
    if totp_secret is not None:
        values["member.totp_key"] = totp_secret.hex().upper()
    return values


def _localized(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return texts by language; readers of all other languages get the English one, or else the first."""
    common = "en" if "en" in texts else next(iter(texts))
    return {
        "defaultValue": {"language": common, "value": texts[common]},
        "translatedValues": [
            {"language": code, "value": text} for code, text in sorted(texts.items()) if code != common
        ],
    }
