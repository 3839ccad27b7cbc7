"""Google's payloads against Google's own schema, and the save link."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jsonschema import Draft202012Validator

from app.core import clock
from app.fakes.wallet_chain import WalletChain
from app.wallet.google import (
    MAX_LINK,
    SAVE_URL,
    LinkTooLong,
    Saved,
    ServiceAccount,
    ServiceAccountUnusable,
    cut,
    loyalty_class,
    loyalty_object,
    save_link,
)
from app.wallet.model import CardView, CouponView, Links
from app.wallet.templates import Template
from tests.wallet.google_schema import validator

View = Callable[..., CardView]
SAVED = Saved(look="meri-coffee-1", serial="01J8ZQ5W3YV7N6K4T2R0P9M8AB", totp_secret=bytes(range(20)))
ORIGINS = ["https://meri.example"]


@pytest.fixture(scope="module")
def account(chain: WalletChain) -> ServiceAccount:
    return ServiceAccount.load(chain.service_account, issuer_id=chain.issuer_id)


@pytest.fixture(scope="module")
def validators() -> dict[str, Draft202012Validator]:
    """Google's discovery document as closed JSON Schema: what it does not name is refused."""
    return {name: validator(name) for name in ("LoyaltyClass", "LoyaltyObject")}


def _parts(link: str, account: ServiceAccount) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return claims, class and object of a link whose signature holds."""
    token = link.removeprefix(SAVE_URL)
    claims = jwt.decode(
        token, account.key.public_key(), algorithms=["RS256"], audience="google", options={"verify_iat": False}
    )
    return claims, claims["payload"]["loyaltyClasses"][0], claims["payload"]["loyaltyObjects"][0]


@pytest.mark.parametrize("language", ["fi", "sv", "en", "de"])
@pytest.mark.parametrize("coupons", [0, 1, 5])
def test_class_and_object_are_what_google_accepts(
    language: str, coupons: int, template: Template, a_view: View, validators: dict[str, Draft202012Validator]
) -> None:
    view = a_view(language=language, coupons=a_view().coupons * coupons)

    klass = loyalty_class(template, view, issuer_id="3388", look=SAVED.look)
    card = loyalty_object(template, view, issuer_id="3388", saved=SAVED)

    assert [error.message for error in validators["LoyaltyClass"].iter_errors(klass)] == []
    assert [error.message for error in validators["LoyaltyObject"].iter_errors(card)] == []
    assert (klass["id"], card["classId"], card["id"]) == ("3388.meri-coffee-1", klass["id"], f"3388.{SAVED.serial}")
    assert klass["reviewStatus"] == "UNDER_REVIEW"


def test_planted_faults_are_found(
    template: Template, a_view: View, validators: dict[str, Draft202012Validator]
) -> None:
    klass = loyalty_class(template, a_view(), issuer_id="3388", look=SAVED.look)
    card = loyalty_object(template, a_view(), issuer_id="3388", saved=SAVED)
    faults: list[tuple[str, Callable[[dict[str, Any]], object]]] = [
        ("LoyaltyClass", lambda it: it.update(programLogo="https://meri.example/logo.png")),
        ("LoyaltyClass", lambda it: it.update(reviewStatus="READY")),
        ("LoyaltyClass", lambda it: it.pop("issuerName")),
        ("LoyaltyObject", lambda it: it.update(serialNumber="1")),
        ("LoyaltyObject", lambda it: it.update(state="LIVE")),
        ("LoyaltyObject", lambda it: it["loyaltyPoints"]["balance"].update(string=7)),
        ("LoyaltyObject", lambda it: it["rotatingBarcode"]["totpDetails"].update(periodMillis=30000)),
        ("LoyaltyObject", lambda it: it["rotatingBarcode"]["totpDetails"].update(periodMillis="30 s")),
        ("LoyaltyObject", lambda it: it["rotatingBarcode"]["totpDetails"]["parameters"][0].update(valueLength="6")),
        ("LoyaltyObject", lambda it: it.update(textModulesData={"body": "x"})),
    ]

    for number, (kind, plant) in enumerate(faults):
        broken = copy.deepcopy(klass if kind == "LoyaltyClass" else card)
        plant(broken)
        assert list(validators[kind].iter_errors(broken)), f"fault {number} of {kind} was not found"


def test_rotating_barcode_makes_the_members_code_with_the_cards_secret(template: Template, a_view: View) -> None:
    barcode = loyalty_object(template, a_view(), issuer_id="3388", saved=SAVED)["rotatingBarcode"]

    assert barcode["valuePattern"] == "HTTPS://MERI.EXAMPLE/M/ABCDEFGH23456789.{totp_value_0}"
    assert (barcode["totpDetails"]["algorithm"], barcode["totpDetails"]["periodMillis"]) == ("TOTP_SHA1", "30000")
    [parameter] = barcode["totpDetails"]["parameters"]
    assert (bytes.fromhex(parameter["key"]), parameter["valueLength"]) == (SAVED.totp_secret, 6)
    assert SAVED.totp_secret.hex() not in repr(SAVED)


def test_link_is_signed_with_the_claims_that_google_asks_for(
    account: ServiceAccount, template: Template, a_view: View
) -> None:
    link = save_link(account, template, a_view(), saved=SAVED, origins=ORIGINS)

    claims, klass, card = _parts(link, account)
    assert link.startswith("https://pay.google.com/gp/v/save/")
    assert (claims["iss"], claims["aud"], claims["typ"]) == (account.email, "google", "savetowallet")
    assert claims["origins"] == ORIGINS
    assert abs(claims["iat"] - clock.now().timestamp()) < 60
    assert (klass["programName"], card["accountName"], card["loyaltyPoints"]["balance"]["string"]) == (
        "Kahvikortti",
        "Päivi Ö.",
        "7/10",
    )


def test_link_with_a_usable_coupon_keeps_its_code_within_the_limit(
    account: ServiceAccount, template: Template, a_view: View
) -> None:
    link = save_link(account, template, a_view(), saved=SAVED, origins=ORIGINS)

    _, _, card = _parts(link, account)
    assert len(link) <= MAX_LINK
    assert card["textModulesData"] == [
        {"header": "Ilmainen kahvi", "body": "ABCD EFGH JKLM 7\nVoimassa asti: 30.11.2026"}
    ]


def test_link_without_coupon_has_room_for_the_cards_address(
    account: ServiceAccount, template: Template, a_view: View
) -> None:
    link = save_link(account, template, a_view(coupons=()), saved=SAVED, origins=ORIGINS)

    _, _, card = _parts(link, account)
    assert len(link) <= MAX_LINK
    assert [uri["uri"] for uri in card["linksModuleData"]["uris"]] == ["https://meri.example/meri/"]


def test_what_does_not_fit_is_left_out_and_the_card_stays(
    account: ServiceAccount, template: Template, a_view: View, validators: dict[str, Draft202012Validator]
) -> None:
    view = a_view(coupons=(CouponView("Kahvi ja korvapuusti kahdelle " * 6, "ABCDEFGHJKLM7", "30.11.2026"),))

    link = save_link(account, template, view, saved=SAVED, origins=ORIGINS)

    _, _, card = _parts(link, account)
    assert len(link) <= MAX_LINK
    assert "textModulesData" not in card
    assert list(validators["LoyaltyObject"].iter_errors(card)) == []


@pytest.mark.parametrize("name", ["Matti Korhonen", "Ä" * 60 + " Ö.", "𐐀" * 60])
@pytest.mark.parametrize("program", ["Kahvikortti", "Ä" * 60])
@pytest.mark.parametrize("brand", ["Meri", "Ä" * 30])
@pytest.mark.parametrize("coupons", [0, 1, 3])
def test_card_with_the_longest_names_still_fits(
    account: ServiceAccount, template: Template, a_view: View, validators: dict[str, Draft202012Validator],
    name: str, program: str, brand: str, coupons: int,
) -> None:  # fmt: skip
    host, slug = "k" * 27, "b" * 30  # the settings and the brand file allow no more
    home = f"https://{host}/{slug}"
    view = a_view(
        brand_name=brand, program_name=program, unit="stämplar", member_name=name, coupons=a_view().coupons * coupons,
        member_qr=f"HTTPS://{host.upper()}/M/ABCDEFGH23456789",
        links=Links(card=f"{home}/", terms=f"{home}/terms", privacy=f"{home}/privacy", logo=f"{home}/icon-logo.png"),
    )  # fmt: skip
    longest = replace(account, email="x" * 61 + ".iam.gserviceaccount.com")
    saved = replace(SAVED, look="b" * 20 + ".12345678")

    link = save_link(longest, template, view, saved=saved, origins=[f"https://{host}"])

    _, klass, card = _parts(link, longest)
    assert len(link) <= MAX_LINK
    assert [*validators["LoyaltyClass"].iter_errors(klass), *validators["LoyaltyObject"].iter_errors(card)] == []
    assert card["rotatingBarcode"]["valuePattern"].startswith(view.member_qr)
    assert klass == loyalty_class(
        template, a_view(**{**_fields(view), "member_name": "Z"}), issuer_id=account.issuer_id, look=saved.look
    )


def _fields(view: CardView) -> dict[str, Any]:
    return {name: getattr(view, name) for name in ("brand_name", "program_name", "links")}


@pytest.mark.parametrize(
    ("given", "kept"),
    [("Päivi Ö.", "Päivi Ö."), ("Ä" * 20, "Ä" * 20), ("Ä" * 21, "Ä" * 18 + "…"), ("x" * 36 + " yz123", "x" * 36 + "…")],
)
def test_names_are_cut_by_whole_letters(given: str, kept: str) -> None:
    assert cut(given) == kept
    assert len(cut(given).encode()) <= 40


def test_card_that_fits_in_no_link_is_a_lasting_refusal_with_its_length(
    account: ServiceAccount, template: Template, a_view: View
) -> None:
    view = a_view(links=Links(logo="https://meri.example/" + "x" * 1200))

    with pytest.raises(LinkTooLong) as caught:
        save_link(account, template, view, saved=SAVED, origins=ORIGINS)

    assert caught.value.extra["characters"] > MAX_LINK
    assert caught.value.status == 409  # asking again does not help


def test_links_up_to_the_very_limit_are_given_and_none_beyond(
    account: ServiceAccount, template: Template, a_view: View
) -> None:
    lengths = set()
    for extra in range(0, 200, 2):
        view = a_view(coupons=(), links=Links(logo="https://meri.example/" + "x" * (60 + extra)))
        try:
            lengths.add(len(save_link(account, template, view, saved=SAVED, origins=ORIGINS)))
        except LinkTooLong as error:
            lengths.add(error.extra["characters"])

    assert {MAX_LINK - 2, MAX_LINK - 1, MAX_LINK, MAX_LINK + 1, MAX_LINK + 2} & lengths
    assert min(lengths) < MAX_LINK < max(lengths)


def test_changed_link_is_refused(account: ServiceAccount, template: Template, a_view: View) -> None:
    link = save_link(account, template, a_view(), saved=SAVED, origins=ORIGINS)
    head, body, signature = link.rsplit(".", 2)
    broken = f"{head}.{body[:40]}{'A' if body[40] != 'A' else 'B'}{body[41:]}.{signature}"

    with pytest.raises(jwt.InvalidSignatureError):
        _parts(broken, account)


def test_service_account_that_cannot_sign_is_refused_at_once(chain: WalletChain) -> None:
    good = json.loads(chain.service_account)
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    faults: list[Any] = [
        {},
        [],
        good | {"private_key": None},
        good | {"private_key": good["private_key"][:300]},
        good | {"private_key": curve.decode()},
    ]

    for text in ["", "no json", *(json.dumps(fault) for fault in faults)]:
        with pytest.raises(ServiceAccountUnusable):
            ServiceAccount.load(text, issuer_id="3388")
