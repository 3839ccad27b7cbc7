"""The wallet doctor: each thing that can be wrong is found under its own name, and nothing else is called wrong."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from app.core import clock, i18n
from app.core.outbound import NotReachable
from app.core.runtime import Runtime
from app.fakes.wallet_chain import FROM, UNTIL, issue, private_pem
from app.wallet import brand_templates, channels, checkup, credentials
from app.wallet.checkup import Finding
from app.wallet.google import NoToken, ServiceAccount, Upserted
from app.wallet.models import WalletTemplateFile
from tests.builders import a_brand
from tests.wallet.certs import PASS_TYPE, Certs, certs
from tests.wallet.certs import text as pem_of
from tests.wallet.phoneside import register
from tests.wallet.shop import Shop

__all__ = ["certs"]

HTTPS = "https://meri.example"


def findings(shop: Shop, **how: Any) -> dict[str, Finding]:
    with shop.runtime.database.reading(shop.brand_id) as session:
        found = checkup.check(session, shop.runtime, **how)
    assert len({one.name for one in found}) == len(found)
    return {one.name: one for one in found}


def wrong(shop: Shop, **how: Any) -> dict[str, str]:
    """Return the code of each check that is not fine, but for what is always odd in a test."""
    usual = {"apple_trust", "web_service", "google_callbacks"}
    return {name: one.code for name, one in findings(shop, **how).items() if one.level != "fine" and name not in usual}


def with_files(shop: Shop, **parts: bytes) -> Shop:
    """Replace files that the settings name: certificate, key, wwdr."""
    for name, data in parts.items():
        getattr(shop.runtime.settings, f"apple_{name}").write_bytes(data)
    return shop


def served(shop: Shop, **fields: Any) -> Shop:
    settings = shop.runtime.settings.model_copy(update=fields)
    return Shop(Runtime(settings, shop.runtime.database), shop.brand_id, shop.member_id, shop.chain)


def test_self_made_chain_on_loopback_is_odd_and_nothing_is_wrong(shop: Shop) -> None:
    found = findings(shop)

    assert {name: (one.level, one.code) for name, one in found.items() if one.level != "fine"} == {
        "apple_trust": ("warn", "wallet_self_made"),
        "web_service": ("warn", "wallet_web_service_not_https"),
        "google_callbacks": ("warn", "wallet_web_service_not_https"),
    }
    assert {"apple_certificate", "apple_key", "apple_chain", "apple_generation", "apple_expiry", "apple_wwdr_expiry",
            "apple_pass_type", "apple_team", "apple_phones", "template_stamp_card", "template_bonus_card",
            "template_coupon", "template_gift_card", "google_account", "google_issuer", "apple_channel",
            "google_channel"} <= set(found)  # fmt: skip
    assert (found["apple_generation"].detail, found["apple_pass_type"].detail) == ("G4", shop.chain.pass_type_id)


def test_each_fault_of_a_certificate_is_found_under_its_name(small: Shop, certs: Certs) -> None:
    now = clock.now()
    ended, later = (FROM, now - timedelta(days=1)), (now + timedelta(days=1), UNTIL)
    good = certs.pem()
    no_authority = certs.authority_of(certs.authority, authority=False)
    cases: list[tuple[dict[str, bytes], dict[str, str]]] = [
        (good, {}),
        (certs.pem(valid=ended), {"apple_expiry": "wallet_certificate_expired"}),
        (certs.pem(valid=later), {"apple_expiry": "wallet_certificate_not_yet_valid"}),
        (
            good | {"wwdr": pem_of(certs.authority_of(certs.authority, valid=ended))},
            {"apple_wwdr_expiry": "wallet_certificate_expired"},
        ),
        (good | {"key": private_pem(certs.other)}, {"apple_key": "wallet_key_of_another_certificate"}),
        (good | {"key": good["key"][:400]}, {"apple_key": "wallet_key_unreadable"}),
        (good | {"certificate": good["certificate"][:400]}, {"apple_certificate": "wallet_certificate_unreadable"}),
        (good | {"wwdr": b""}, {"apple_chain": "wallet_wwdr_missing"}),
        (good | {"wwdr": pem_of(certs.stranger)}, {"apple_chain": "wallet_certificate_of_another_issuer"}),
        (good | {"wwdr": pem_of(no_authority)}, {"apple_chain": "wallet_wwdr_no_authority"}),
        (certs.pem(pass_type=""), {"apple_pass_type": "wallet_certificate_of_another_pass_type"}),
        (certs.pem(team=""), {"apple_team": "wallet_certificate_of_another_team"}),
    ]

    found = [wrong(with_files(small, **parts)) for parts, _expected in cases]

    assert found == [expected for _parts, expected in cases]


def test_wwdr_of_another_generation_is_named_with_both(small: Shop, certs: Certs) -> None:
    older = x509.Name.from_rfc4514_string("CN=Own Authority,OU=G3,O=Own")
    wwdr = issue(older, certs.other.public_key(), older, certs.other, authority=True)

    found = findings(with_files(small, **certs.pem() | {"wwdr": pem_of(wwdr)}))

    assert found["apple_chain"].code == "wallet_certificate_of_another_issuer"
    assert found["apple_generation"].code == "wallet_wwdr_of_another_generation"
    assert ("G4" in found["apple_generation"].detail, "G3" in found["apple_generation"].detail) == (True, True)


@pytest.mark.parametrize(
    ("left", "level", "code"),
    [
        (timedelta(days=31), "fine", ""),
        (timedelta(days=30), "warn", "wallet_certificate_ends_within_30_days"),
        (timedelta(days=14), "warn", "wallet_certificate_ends_within_14_days"),
        (timedelta(days=7), "warn", "wallet_certificate_ends_within_7_days"),
        (timedelta(minutes=5), "warn", "wallet_certificate_ends_within_7_days"),
        (timedelta(seconds=-1), "fault", "wallet_certificate_expired"),
    ],
)
def test_end_is_warned_of_thrice_before_it_is_a_fault(
    left: timedelta, level: str, code: str, small: Shop, certs: Certs
) -> None:
    ends = clock.now().replace(microsecond=0) + timedelta(days=90)
    with_files(small, **certs.pem(valid=(FROM, ends)))

    with clock.moved(to=ends - left):
        found = findings(small)["apple_expiry"]

    assert (found.level, found.code) == (level, code)


def test_apples_own_authority_is_trusted(small: Shop, certs: Certs) -> None:
    name = x509.Name.from_rfc4514_string("CN=Apple Worldwide Developer Relations,OU=G4,O=Apple Inc.")
    wwdr = issue(name, certs.authority.public_key(), name, certs.authority, authority=True)
    subject = x509.Name.from_rfc4514_string(f"UID={PASS_TYPE},OU=OWNTEAM001,CN=Own")
    mine = issue(subject, certs.mine.public_key(), name, certs.authority, pass_type_id=PASS_TYPE)
    with_files(small, certificate=mine.public_bytes(Encoding.PEM), key=private_pem(certs.mine), wwdr=pem_of(wwdr))

    assert findings(small)["apple_trust"].level == "fine"


def test_missing_certificate_and_account_are_told_apart_from_bad_ones(small: Shop) -> None:
    bare = served(small, apple_certificate=None, google_service_account=None)
    path = small.runtime.settings.google_service_account
    assert path is not None

    missing = findings(bare)
    path.write_bytes(b"{}")

    assert (missing["apple_certificate"].level, missing["apple_certificate"].code) == (
        "fault", "wallet_certificate_missing"
    )  # fmt: skip
    assert (missing["google_account"].level, missing["google_account"].code) == (
        "warn", "wallet_google_account_missing"
    )  # fmt: skip
    assert wrong(small) == {"google_account": "wallet_google_account_unusable"}


def test_own_certificate_is_looked_at_before_the_installations(small: Shop, certs: Certs) -> None:
    small.change(lambda session: credentials.import_apple(session, **certs.pem()))

    assert findings(small)["apple_pass_type"].detail == PASS_TYPE


def test_phones_with_another_pass_type_are_a_fault(shop: Shop, certs: Certs) -> None:
    register(shop, shop.apple())
    before = wrong(shop)

    shop.change(lambda session: credentials.import_apple(session, **certs.pem(), force=True))

    assert (before, wrong(shop)) == ({}, {"apple_phones": "wallet_pass_type_in_use"})


def test_issuer_id_that_is_no_number_is_a_fault(small: Shop) -> None:
    assert wrong(served(small, google_issuer="BCR2DN4")) == {"google_issuer": "wallet_google_issuer_invalid"}


def test_addresses_that_answer_as_they_should_are_fine(small: Shop) -> None:
    asked: list[str] = []

    def reach(url: str) -> int:
        asked.append(url)
        return 405 if "google" in url else 204

    found = findings(served(small, base_url=HTTPS), reach=reach)

    assert {found[name].level for name in ("web_service", "web_service_reached", "google_callbacks")} == {"fine"}
    assert asked == [
        f"{HTTPS}/wallet/meri/v1/devices/doctor/registrations/{small.chain.pass_type_id}",
        f"{HTTPS}/hooks/google/meri",
    ]


def _lost(_url: str) -> int:
    raise NotReachable("meri.example: ConnectError")


@pytest.mark.parametrize(
    ("reach", "code"),
    [(lambda _url: 502, "wallet_web_service_answers_wrongly"), (_lost, "wallet_web_service_unreachable")],
)
def test_address_that_does_not_answer_rightly_is_a_fault(reach: Callable[[str], int], code: str, small: Shop) -> None:
    found = findings(served(small, base_url=HTTPS), reach=reach)

    for name in ("web_service_reached", "google_callbacks"):
        assert (found[name].level, found[name].code) == ("fault", code)


def test_token_that_google_refuses_is_a_fault(small: Shop) -> None:
    def refused(_account: ServiceAccount) -> str:
        raise NoToken(Upserted("misconfigured", "google_account_refused"))

    assert wrong(small, token=refused) == {"google_token": "google_account_refused"}
    assert findings(small, token=lambda _account: "opaque")["google_token"].level == "fine"


@pytest.mark.parametrize("kind", ["apple", "google"])
def test_channel_that_fails_is_odd_at_first_and_wrong_after_a_while(kind: str, shop: Shop) -> None:
    shop.change(lambda session: channels.failed(session, kind, f"{kind}_unreachable"))

    at_first = findings(shop)[f"{kind}_channel"]
    with clock.moved(by=timedelta(minutes=16)):
        later = findings(shop)[f"{kind}_channel"]
    shop.change(lambda session: channels.worked(session, kind))

    assert (at_first.level, later.level, later.code) == ("warn", "fault", f"{kind}_unreachable")
    assert findings(shop)[f"{kind}_channel"].level == "fine"


def test_own_template_that_leimas_rules_refuse_is_a_fault_and_passes_go_on(small: Shop) -> None:
    def break_it(session: Any) -> None:
        row = brand_templates.save(
            session, "stamp-card", {"fi.lproj/pass.strings": _words(small)}, shown_as="stamp-card.pass"
        )
        session.add(WalletTemplateFile(template_id=row.id, path="pass.json", data=b"{"))

    small.change(break_it)

    assert wrong(small) == {"template_stamp_card": "template_invalid"}
    assert small.apple().body.startswith(b"PK")


def _words(shop: Shop) -> bytes:
    """Return Leima's own Finnish words with one of them changed."""
    folder = brand_templates.SHIPPED / "stamp-card.pass"
    own = (folder / "fi.lproj" / "pass.strings").read_text(encoding="utf-8")
    changed = own.replace('"Viimeisin"', '"Uusin"')
    return (changed if changed != own else own + "\n").encode()


def test_findings_speak_the_readers_language_and_stand_worst_first(small: Shop) -> None:
    broken = served(small, apple_key=None)

    with i18n.use_language("fi"), small.runtime.database.reading(small.brand_id) as session:
        found = checkup.worst_first(checkup.check(session, broken.runtime))

    levels = [one.level for one in found]
    assert levels == sorted(levels, key=["fault", "warn", "fine"].index)
    assert levels[0] == "fault"


def test_every_check_has_a_title_of_its_own(small: Shop) -> None:
    reached = findings(served(small, base_url=HTTPS), reach=lambda _url: 204, token=lambda _account: "opaque")

    titles = {name: checkup.title(name) for name in reached}

    assert len(set(titles.values())) == len(titles)
    assert all(":" in told for told in titles.values())


def test_other_brands_are_not_looked_at(small: Shop, certs: Certs) -> None:
    other = a_brand(small.runtime.database, "kallio")
    small.change(lambda session: credentials.import_apple(session, **certs.pem()))

    with small.runtime.database.reading(other) as session:
        found = {one.name: one.detail for one in checkup.check(session, small.runtime)}

    assert found["apple_pass_type"] == small.chain.pass_type_id
