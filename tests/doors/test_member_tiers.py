"""The member's page of tiers: how far, by when, what is lost; in three languages, with long names and with nothing."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.cards.models import ProgramVersion, TierHold
from app.cards.service import record_purchase
from app.core import clock
from app.members.models import Member
from app.network.models import Till
from tests.cards.kinds import a_plan
from tests.doors.memberside import Browser, newest_member
from tests.doors.tillside import TillSide
from tests.shop import a_basket

LONG = "Meripaahtimon erityisen uskollinen kantavieras ja kahvinystävä"
TIERS = [
    {"slug": "silver", "from_cents": 50_000, "discount_bp": 300, "keeps_months": 1},
    {"slug": "gold", "name": {"fi": LONG, "sv": "Guld", "en": "Gold"}, "from_cents": 150_000, "discount_bp": 500},
]


@pytest.fixture
def phone(till: TillSide) -> Browser:
    """A phone whose member has joined."""
    phone = Browser(till)
    assert phone.join("tiers@example.com").status_code == 303
    return phone


def plan(till: TillSide, tiers: list[dict[str, Any]]) -> None:
    with till.database.unit(till.side.brand_id) as session:
        a_plan(session, "standing", {"tiers": tiers}, slug="club")


def buy(till: TillSide, cents: int) -> None:
    """Buy in parts that no manager has to approve."""
    member_id = newest_member(till).id
    with till.database.unit(till.side.brand_id) as session:
        at = session.scalars(select(Till)).first()
        assert at is not None
        for part in [9000] * (cents // 9000) + [cents % 9000]:
            record_purchase(session, a_basket(part), member=session.get_one(Member, member_id), till=at)


def text(phone: Browser, path: str = "tiers", language: str = "en") -> str:
    page = phone.get(path, language).text
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def test_nothing_yet_says_how_far_the_first_tier_is(till: TillSide, phone: Browser) -> None:
    plan(till, TIERS)

    shown = text(phone)

    assert "No tier yet" in shown
    assert "On the way to Silver €500.00 more by 31 Dec €0.00 of €500.00" in shown
    assert "Gold from €1,500.00 a year: 5 %" in shown


def test_way_grows_with_purchases_and_stands_on_the_card_too(till: TillSide, phone: Browser) -> None:
    plan(till, TIERS)
    buy(till, 38_000)

    assert "On the way to Silver €120.00 more by 31 Dec €380.00 of €500.00" in text(phone)
    card = phone.get("").text
    assert re.search(r'href="/[a-z]+/tiers">€120.00 more by 31 Dec makes you Silver</a>', card)
    assert 'width="76%"' in phone.get("tiers").text
    etag = re.search(r'data-etag="(\w+)"', phone.get("tiers").text)
    buy(till, 12_000)
    assert etag is not None
    assert etag[1] not in phone.get("tiers").text  # an open page follows
    shown = text(phone)
    assert "Silver" in shown
    assert "On the way to Gold €1,000.00 more by 31 Dec" in shown
    assert "counts anew" in shown


def test_tier_that_would_be_lost_says_what_keeps_it(till: TillSide, phone: Browser) -> None:
    plan(till, TIERS)
    with till.database.unit(till.side.brand_id) as session:
        version = session.scalars(select(ProgramVersion).order_by(ProgramVersion.id.desc())).first()
        assert version is not None
        session.add(
            TierHold(
                program_id=version.program_id, version_id=version.id, tier="silver", source="spend", settled=False,
                member_id=newest_member(till).id, reached_on=(clock.now() - timedelta(days=300)).date(),
                until=clock.now() + timedelta(days=10),
            )
        )  # fmt: skip

    shown = text(phone)

    assert re.search(r"€500.00 more by \d+ \w+ keeps it until \d+ \w+", shown)
    assert re.search(r"Without it, it ends on \d+ \w+", shown)
    assert "To keep Silver" in shown


def test_highest_tier_says_so(till: TillSide, phone: Browser) -> None:
    plan(till, TIERS)
    buy(till, 150_000)

    shown = text(phone)

    assert "The highest tier is yours" in shown
    assert "On the way" not in shown


@pytest.mark.parametrize(
    ("language", "name", "said"),
    [("fi", LONG, f"niin taso on {LONG}"), ("sv", "Guld", "så är du Guld"), ("en", "Gold", "makes you Gold")],
)
def test_long_names_and_languages(till: TillSide, phone: Browser, language: str, name: str, said: str) -> None:
    plan(till, TIERS[1:])
    phone.post("profile/language", lang=language)

    assert said in text(phone, "", language)
    assert name in text(phone, "tiers", language)


def test_visits_are_told_as_visits(till: TillSide, phone: Browser) -> None:
    plan(till, [{"slug": "regular", "from_visits": 3, "period": "month", "keeps_months": 0}])
    buy(till, 1000)

    shown = text(phone)

    assert re.search(r"On the way to Regular 2 visits more by \d+ \w+", shown)
    assert "1 of 3 visits" in shown


def test_brand_without_tiers_says_so_and_strangers_are_shown_the_way_in(till: TillSide, phone: Browser) -> None:
    assert "There are no tiers here yet." in text(phone)
    assert Browser(till).get("tiers").location.endswith("/sign-in")
