"""A card of each kind in words and figures: what a member reads, worked out by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from app.cards import rules
from app.cards.faces import Face, face, rate
from app.cards.programs import ProgramInForce
from app.cards.tiers import Held
from app.cards.views import Card
from app.core import clock
from app.core.i18n import use_language
from app.ledger.holdings import Dated, Holding

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NEW_YEAR = datetime(2026, 12, 31, 22, tzinfo=UTC)  # midnight in Helsinki: the 31st was the last day
JUNE = datetime(2027, 5, 31, 21, tzinfo=UTC)  # midnight of 1 June there
PER_EURO = {"name": "euro", "then": [{"do": "per_amount", "cents": 100, "n": 1}]}
STEPS = [{"at": 500, "reward": "coffee"}, {"at": 1000, "reward": "lunch"}]
PLANS: dict[str, dict[str, Any]] = {
    "stamp_card": {"per": "euros", "cents": 400},
    "bonus": {"rules": [{"name": "bonus", "then": [{"do": "percent", "bp": 200}]}]},
    "points": {"rules": [PER_EURO], "thresholds": STEPS},
    "visits": {
        "rules": [{"name": "visit", "on": "visit", "then": [{"do": "award", "n": 1, "base": True}]}],
        "thresholds": [{"at": 8, "reward": "coffee"}], "repeats": True,
    },
    "cash_back": {
        "rules": [{"name": "paid", "then": [{"do": "percent", "bp": 10_000}]}],
        "thresholds": [{"at": 50_000, "reward": "gift"}], "repeats": True,
    },
    "serial_card": {"uses": 10, "price_cents": 9000, "valid_months": 12},
    "standing": {
        "tiers": [
            {"slug": "silver", "from_cents": 50_000, "discount_bp": 300},
            {"slug": "gold", "name": {"fi": "Kulta", "en": "Gold"}, "from_visits": 20, "period": "quarter"},
        ]
    },
}  # fmt: skip
LADDER = {"period": "year", "steps": [{"from_cents": 50_000, "bp": 250}]}
WORTH = {"cash_back": 500}


def shown(kind: str, holding: Holding, *, reward: str = "Free coffee", language: str = "en") -> Face:
    """Return a card's face at noon of 24 November 2026."""
    words = {"en": ["unit", "units"], "fi": ["yksikkö", "yksikköä"]}
    size = 10 if kind == "stamp_card" else None
    program = ProgramInForce(
        id=1, slug="one", kind=kind, name={"en": "One"}, unit=words, version_id=1, size=size,
        reward_id=1 if size else None, plan=rules.parse(kind, PLANS[kind]),
    )  # fmt: skip
    with use_language(language):
        return face(Card(program, reward, "cup", WORTH.get(kind, 0), holding), "Europe/Helsinki")


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with clock.moved(to=NOW):
        yield


@pytest.mark.parametrize(
    ("kind", "balance", "short", "goal"),
    [
        ("stamp_card", 7, "7/10", "Free coffee after 3 more"),
        ("stamp_card", -2, "−2/10", "Free coffee after 12 more"),
        ("bonus", 1250, "€12.50", "2 % of every purchase is yours"),
        ("bonus", 1_000_000, "€10,000.00", "2 % of every purchase is yours"),
        ("bonus", 0, "€0.00", "2 % of every purchase is yours"),
        ("points", 420, "420/500", "Free coffee after 80 more"),
        ("points", 500, "500/1,000", "Free coffee after 500 more"),
        ("points", 1250, "1,250", "Every reward is reached"),
        ("visits", 7, "7/8", "Free coffee after 1 more"),
        ("cash_back", 48_750, "€487.50/€500.00", "€12.50 until the next gift card of €5.00"),
        ("cash_back", -1000, "−€10.00/€500.00", "€510.00 until the next gift card of €5.00"),
        ("serial_card", 0, "0", "10 units for €90.00, from the till"),
        ("standing", 0, "", "Your benefits grow with your purchases"),
    ],
)
def test_a_card_says_what_it_holds_and_what_comes_next(kind: str, balance: int, short: str, goal: str) -> None:
    found = shown(kind, Holding(balance))

    assert (found.short, found.goal) == (short, goal)


@pytest.mark.parametrize(
    ("kind", "holding", "notes"),
    [
        ("bonus", Holding(1250, 0, Dated(420, NEW_YEAR)), ("€4.20 expires on 31 Dec",)),
        ("bonus", Holding(0, 1200, None, Dated(1200, JUNE)), ("€12.00 waits until 1 Jun 2027",)),
        ("bonus", Holding(-340), ("The next €3.40 pays for a refund",)),
        ("points", Holding(80, 0, Dated(80, NEW_YEAR)), ("80 units expire on 31 Dec",)),
        ("points", Holding(1, 0, Dated(1, NEW_YEAR)), ("1 unit expires on 31 Dec",)),
        ("stamp_card", Holding(-1), ("The next one pays for a refund",)),
        ("standing", Holding(), ("Silver from €500.00 a year: 3 %", "Gold from 20 visits a quarter")),
    ],
)
def test_below_it_stands_what_ends_waits_and_is_owed(kind: str, holding: Holding, notes: tuple[str, ...]) -> None:
    assert shown(kind, holding).notes == notes


def test_a_serial_card_says_how_long_it_is_good() -> None:
    one, two = Holding(7, 0, Dated(7, JUNE)), Holding(13, 0, Dated(3, NEW_YEAR))

    assert (shown("serial_card", one).short, shown("serial_card", one).goal) == ("7/10", "Valid until 31 May 2027")
    assert shown("serial_card", one).notes == ()
    assert shown("serial_card", two).short == "13"  # two cards: ten are no whole any more
    assert shown("serial_card", two).notes == ("3 units expire on 31 Dec",)


def test_a_tier_is_shown_with_what_it_gives_until_when_and_what_is_ahead() -> None:
    plan = rules.parse("standing", PLANS["standing"])
    program = ProgramInForce(1, "one", "standing", {"en": "One"}, {"en": ["x", "x"]}, 1, None, None, plan)

    with use_language("en"):
        found = face(Card(program, tier=Held(program, plan.tiers[0], JUNE)), "Europe/Helsinki")

    assert (found.short, found.seal, found.goal) == ("Silver", "3 %", "Valid until 31 May 2027")
    assert found.notes == ("Gold from 20 visits a quarter",)


@pytest.mark.parametrize(
    ("kind", "balance", "bar"),
    [
        ("points", 420, (420, 500)),
        ("points", 1250, (1, 1)),
        ("cash_back", 48_750, (48_750, 50_000)),
        ("cash_back", -1000, (0, 50_000)),
        ("serial_card", 7, (7, 10)),
        ("bonus", 1250, (0, 0)),
    ],
)
def test_a_bar_is_never_below_nothing_nor_beyond_the_whole(kind: str, balance: int, bar: tuple[int, int]) -> None:
    found = shown(kind, Holding(balance))

    assert (found.done, found.whole) == bar


def test_a_card_speaks_finnish() -> None:
    found = shown("bonus", Holding(123_456, 0, Dated(420, NEW_YEAR)), language="fi")

    assert (found.figure, found.said) == ("1\u00a0234,56\u00a0€", "1\u00a0234,56\u00a0€ yksikköä")
    assert (found.goal, found.notes) == ("2 % jokaisesta ostoksesta sinulle", ("4,20\u00a0€ vanhenee 31.12.",))


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"then": [{"do": "percent", "bp": 250}]}, "2.5 %"),
        ({"then": [{"do": "percent", "bp": 100, "ladder": LADDER}]}, "1–2.5 %"),
        ({"then": [{"do": "percent", "bp": 100}], "when": {"weekdays": ["sat"]}}, ""),
        ({"then": [{"do": "percent", "bp": 100}], "limit": {"first_n": 10}}, ""),
        ({"then": [{"do": "award", "n": 50}]}, ""),
    ],
)
def test_a_rate_is_told_only_where_every_purchase_has_it(rule: dict[str, Any], told: str) -> None:
    plan = rules.parse("bonus", {"rules": [{"name": "one", **rule}]})

    assert rate(plan) == told
