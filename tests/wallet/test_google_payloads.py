"""Google's classes, objects and messages of every kind, against Google's own schema."""

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest

from app.fakes.wallet_chain import WalletChain
from app.wallet.apple import Place
from app.wallet.google import (
    SAVE_URL,
    SHORT_LINK,
    ServiceAccount,
    class_payload,
    id_link,
    kind_of,
    message_payload,
    object_payload,
)
from app.wallet.model import BonusView, CardView, CouponPassView, CouponView, GiftCardView, Links, PassView
from app.wallet.templates import SHIPPED, load_templates
from tests.wallet.google_schema import validator

Json = dict[str, Any]
TEMPLATES = load_templates(SHIPPED)
HOOK = "https://meri.example/hooks/google/meri"
END = datetime(2026, 11, 30, 21, 59, 59, tzinfo=UTC)
SECRET = bytes(range(20))
WHO: Json = {
    "brand_name": "Meri Roastery", "member_name": "Päivi Ö.", "member_qr": "HTTPS://MERI.EXAMPLE/M/ABCDEFGH23456789",
    "spoken_code": "7K3Q X9P2", "language": "fi", "links": Links(logo="https://meri.example/meri/logo.png"),
}  # fmt: skip
COFFEE = CouponView("Ilmainen kahvi", "ABCDEFGHJKLM7", "30.11.2026")
VIEWS: dict[str, PassView] = {
    "stamp-card": CardView(**WHO, program_name="Kahvikortti", unit="leimaa", stamps=7, size=10, coupons=(COFFEE,)),
    "bonus-card": BonusView(**WHO, program_name="Bonus", balance="12,50 €", rate="5 %", coupons=(COFFEE,)),
    "coupon": CouponPassView(**WHO, title="Ilmainen kahvi", code="ABCDEFGHJKLM7", until="30.11.2026"),
    "gift-card": GiftCardView(**WHO, title="Lahja", code="GFTABCDEFGH23", balance="30,00 €", cents=3000),
}
RESOURCE = {"loyalty": "Loyalty", "offer": "Offer", "giftCard": "GiftCard"}


def a_class(name: str, **changes: Any) -> Json:
    view = replace(VIEWS[name], **changes)
    return class_payload(TEMPLATES[name], view, issuer_id="3388", class_name="meri.look", callback_url=HOOK)


def an_object(name: str, *, view: PassView | None = None, **options: Any) -> Json:
    wanted: Json = {"issuer_id": "3388", "class_name": "meri.look", "serial": "01J8ZQ", "totp_secret": SECRET}
    return object_payload(TEMPLATES[name], view or VIEWS[name], **wanted | options)


def faults(resource: str, payload: Json) -> list[str]:
    """Return what Google would refuse."""
    return [error.message for error in validator(resource).iter_errors(payload)]


def claims_of(link: str, account: ServiceAccount) -> Json:
    """Return what a link says, once its signature holds."""
    token, options = link.removeprefix(SAVE_URL), {"verify_iat": False}
    found: Json = jwt.decode(token, account.key.public_key(), ["RS256"], options, audience="google")
    return found


def resource(name: str, part: str) -> str:
    return f"{RESOURCE[kind_of(TEMPLATES[name])]}{part}"


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("language", ["fi", "sv", "en", "de"])
@pytest.mark.parametrize("full", [True, False])
def test_class_and_object_of_every_kind_are_what_google_accepts(name: str, language: str, full: bool) -> None:
    view = replace(VIEWS[name], language=language)
    if not full:
        emptied = {"member_name": ""} | ({"coupons": ()} if hasattr(view, "coupons") else {})
        view = replace(view, **emptied)
    options: Json = {"linked": ["A", "B"], "places": [Place(60.17, 24.94)], "expires": END} if full else {}

    klass = a_class(name, language=language)
    thing = an_object(name, view=view, **options)

    assert faults(resource(name, "Class"), klass) == []
    assert faults(resource(name, "Object"), thing) == []
    assert (klass["id"], thing["classId"], thing["id"]) == ("3388.meri.look", klass["id"], "3388.01J8ZQ")
    assert (klass["reviewStatus"], klass["callbackOptions"]) == ("UNDER_REVIEW", {"url": HOOK})


@pytest.mark.parametrize("state", ["issued", "redeemed", "expired", "revoked"])
def test_coupon_is_an_offer_in_googles_state_and_its_code_goes_with_its_use(state: str) -> None:
    view = CouponPassView(**WHO, title="Ilmainen kahvi", code="ABCDEFGHJKLM7", state=state)

    offer = an_object("coupon", view=view, expires=END)

    states = {"issued": "ACTIVE", "redeemed": "COMPLETED", "expired": "EXPIRED", "revoked": "INACTIVE"}
    assert offer["state"] == states[state]
    assert offer["validTimeInterval"] == {"end": {"date": "2026-11-30T21:59:59+00:00"}}
    if state == "issued":
        assert offer["barcode"] == {"type": "QR_CODE", "value": "ABCDEFGHJKLM7", "alternateText": "ABCD EFGH JKLM 7"}
    else:
        assert offer["barcode"] == {}  # sent empty: a PATCH would leave the old code there
    assert faults("OfferObject", offer) == []


def test_gift_card_names_its_money_as_google_counts_it() -> None:
    card = an_object("gift-card")

    assert (card["balance"], card["cardNumber"]) == ({"micros": "30000000", "currencyCode": "EUR"}, "GFTABCDEFGH23")
    assert card["barcode"]["value"] == "GFTABCDEFGH23"


def test_card_links_its_coupons_by_whole_id_and_an_empty_list_takes_the_last_one_away() -> None:
    assert an_object("stamp-card", linked=["A", "B"])["linkedObjectIds"] == ["3388.A", "3388.B"]
    assert an_object("stamp-card")["linkedObjectIds"] == []
    assert "linkedObjectIds" not in an_object("coupon", linked=["A"])


def test_words_that_the_pass_no_longer_shows_are_sent_empty() -> None:
    full, bare = an_object("stamp-card"), an_object("stamp-card", view=replace(VIEWS["stamp-card"], coupons=()))

    assert full["textModulesData"][0]["header"] == "Ilmainen kahvi"
    assert bare["textModulesData"] == []
    assert set(full) == set(bare)


def test_moving_code_is_made_from_the_cards_own_secret() -> None:
    barcode = an_object("stamp-card")["rotatingBarcode"]

    [parameter] = barcode["totpDetails"]["parameters"]
    assert bytes.fromhex(parameter["key"]) == SECRET
    assert barcode["valuePattern"] == f"{WHO['member_qr']}.{{totp_value_0}}"


def test_phone_offers_the_card_at_ten_places_at_most() -> None:
    places = [Place(60 + number / 100, 24.9) for number in range(14)]

    assert an_object("stamp-card", places=places)["merchantLocations"] == [
        {"latitude": 60 + number / 100, "longitude": 24.9} for number in range(10)
    ]
    assert an_object("stamp-card")["merchantLocations"] == []  # a PATCH would leave the old ones there


def test_terms_that_a_reward_no_longer_has_are_taken_from_its_class() -> None:
    assert a_class("coupon", terms="Yksi kuppi.")["finePrint"] == "Yksi kuppi."
    assert a_class("coupon", terms="")["finePrint"] == ""


FAULTS: list[tuple[str, Callable[[Json], object]]] = [
    ("LoyaltyClass", lambda it: it.update(programLogo="https://meri.example/logo.png")),
    ("LoyaltyClass", lambda it: it.update(reviewStatus="READY")),
    ("LoyaltyClass", lambda it: it["callbackOptions"].update(address="https://meri.example")),
    ("LoyaltyObject", lambda it: it.update(linkedObjectIds="3388.A")),
    ("LoyaltyObject", lambda it: it["rotatingBarcode"]["totpDetails"].update(periodMillis=30000)),
    ("LoyaltyObject", lambda it: it["merchantLocations"][0].update(latitude="60.17")),
    ("OfferClass", lambda it: it.pop("redemptionChannel")),
    ("OfferClass", lambda it: it.update(redemptionChannel="SHOP")),
    ("OfferObject", lambda it: it.update(state="USED")),
    ("OfferObject", lambda it: it["validTimeInterval"].update(end="2026-11-30")),
    ("OfferObject", lambda it: it.update(linkedObjectIds=["3388.A", 7])),
    ("GiftCardClass", lambda it: it.update(allowBarcodeRedemption="yes")),
    ("GiftCardObject", lambda it: it["balance"].update(micros=30_000_000)),
    ("GiftCardObject", lambda it: it.pop("cardNumber")),
]


@pytest.mark.parametrize(("resource_name", "plant"), FAULTS)
def test_planted_fault_is_found(resource_name: str, plant: Callable[[Json], object]) -> None:
    name = {"Loyalty": "stamp-card", "Offer": "coupon", "GiftCard": "gift-card"}[
        resource_name.removesuffix("Class").removesuffix("Object")
    ]
    made = a_class(name) if resource_name.endswith("Class") else an_object(name, places=[Place(60, 24)], expires=END)
    broken = copy.deepcopy(made)

    plant(broken)

    assert faults(resource_name, made) == []
    assert faults(resource_name, broken)


@pytest.mark.parametrize("notify", [True, False])
def test_message_announces_itself_only_when_asked_to(notify: bool) -> None:
    request = message_payload(name="m1", header="Uusi etu", body="Kahvi −50 %", ends_at=END, notify=notify)

    assert faults("AddMessageRequest", request) == []
    assert request["message"]["messageType"] == ("TEXT_AND_NOTIFY" if notify else "TEXT")
    assert request["message"]["displayInterval"] == {"end": {"date": "2026-11-30T21:59:59+00:00"}}


@pytest.mark.parametrize("languages", [["fi", "sv", "en"], ["fi"], ["en"]])
def test_news_of_a_class_speak_every_language_of_their_readers(languages: list[str]) -> None:
    texts = {code: (f"Otsikko {code}", f"Teksti {code}") for code in languages}
    header, body = texts[languages[0]]

    request = message_payload(name="n1", header=header, body=body, ends_at=END, notify=True, texts=texts)

    assert faults("AddMessageRequest", request) == []
    shown = request["message"]["localizedBody"]
    said = {shown["defaultValue"]["language"]: shown["defaultValue"]["value"]} | {
        each["language"]: each["value"] for each in shown.get("translatedValues", [])
    }
    assert said == {code: f"Teksti {code}" for code in languages}


def test_link_with_ids_stays_short_for_the_longest_names_and_the_card_is_always_in_it(chain: WalletChain) -> None:
    account = ServiceAccount.load(chain.service_account, issuer_id="3388000000022000001")
    longest = replace(account, email="x" * 30 + "@" + "p" * 30 + ".iam.gserviceaccount.com")  # what Google Cloud allows
    serials = [f"01J8ZQ5W3YV7N6K4T2R0P9M8{number:02}" for number in range(9)]  # 26 characters

    link = id_link(longest, loyalty=serials[:1], offers=serials[1:], origins=["https://" + "k" * 27])

    claims = claims_of(link, longest)
    assert len(link) < SHORT_LINK == 800
    assert claims["payload"]["loyaltyObjects"] == [{"id": f"3388000000022000001.{serials[0]}"}]
    assert (claims["aud"], claims["typ"], claims["iss"]) == ("google", "savetowallet", longest.email)
    assert claims["origins"] == ["https://" + "k" * 27]
    offers = [each["id"].partition(".")[2] for each in claims["payload"].get("offerObjects", [])]
    assert offers == serials[1 : 1 + len(offers)]  # those that fit, in the order of the card


def test_link_with_ids_says_nothing_of_the_member(chain: WalletChain) -> None:
    account = ServiceAccount.load(chain.service_account, issuer_id="3388")

    link = id_link(account, loyalty=["A"], offers=["B"], origins=["https://meri.example"])

    assert claims_of(link, account)["payload"] == {
        "loyaltyObjects": [{"id": "3388.A"}],
        "offerObjects": [{"id": "3388.B"}],
    }
