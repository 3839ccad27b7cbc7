"""A member's own language on every page of the brand, also those that are nobody's."""

import pytest

from tests.doors.memberside import Browser
from tests.doors.tillside import TillSide

MAIL = "kaisla@mail.example"


@pytest.mark.parametrize("path", ["terms", "privacy", "offline", "confirm", "sign-in", "confirm?token=x", "no/such"])
def test_page_speaks_the_members_language_whatever_the_browser_says(till: TillSide, path: str) -> None:
    phone = Browser(till)
    phone.get("join?lang=en")
    phone.join(MAIL)
    phone.post("profile/language", lang="sv")
    phone.client.delete_cookie("leima-lang")

    assert '<html lang="sv"' in phone.get(path, language="fi").text
    assert '<html lang="sv"' in phone.get(f"{path}{'&' if '?' in path else '?'}lang=fi", language="fi").text


def test_manifest_speaks_the_members_language_and_no_proxy_keeps_it(till: TillSide) -> None:
    phone = Browser(till)
    phone.join(MAIL)
    phone.post("profile/language", lang="sv")
    phone.client.delete_cookie("leima-lang")

    answer = phone.get("manifest.webmanifest", language="fi")

    assert answer.json is not None
    assert answer.json["lang"] == "sv"
    assert answer.headers["Cache-Control"].startswith("private")


@pytest.mark.parametrize("path", ["terms", "sign-in", "no/such"])
def test_visitor_is_heard_as_before(till: TillSide, path: str) -> None:
    visitor = Browser(till)

    assert '<html lang="fi"' in visitor.get(path, language="fi").text
    assert '<html lang="sv"' in visitor.get(f"{path}?lang=sv", language="fi").text
    assert '<html lang="sv"' in visitor.get(path, language="fi").text


def test_member_of_one_brand_is_a_visitor_at_another(till: TillSide) -> None:
    phone = Browser(till)
    phone.join(MAIL)
    phone.post("profile/language", lang="sv")
    phone.client.delete_cookie("leima-lang")

    answer = phone.client.get("/ranta/terms", headers={"Accept-Language": "fi"})

    assert '<html lang="fi"' in answer.text
