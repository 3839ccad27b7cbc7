"""Plans in sentences, and two versions side by side."""

from typing import Any

from app.cards import rules, wording
from app.cards.wording import Sentence, Words
from app.core.i18n import use_language
from tests.programs import a_plan, a_rule, award, per_amount, percent, times


def told(kind: str, plan: dict[str, Any], **fields: Any) -> list[str]:
    words = Words(kind, ("stamp", "stamps"), {"coffee": "Free coffee"})
    found = wording.sentences(rules.parse(kind, plan), words, **fields)
    return [one.text.replace("\u00a0", " ") for one in found]


def test_stamp_card() -> None:
    rules_ = [
        a_rule("base", per_amount(400)),
        a_rule("weekend", times(20_000), label={"en": "Weekend"}, when={"weekdays": ["sat", "sun"]}),
        a_rule("mug", award(5), when={"lines": {"groups": ["mugs"], "min_quantity": 2}, "min_cents": 1000},
               limit={"member": {"day": 1, "ever": 3}, "first_n": 100, "budget": 500}),
    ]  # fmt: skip
    assert told("stamp_card", {"rules": rules_, "expires_after_months": 24}, size=10, reward="coffee") == [
        "1 stamp for each full €4.00",
        "Weekend: doubled; Saturday, Sunday",
        "5 stamps extra; from €10.00 on; goods: mugs; 2 of them or more; counts once a day; "
        "counts 3 times for each member; for the first 100; 500 stamps in all",
        "10 stamps fill the card: Free coffee",
        "Ends 24 months after the month it was earned in",
    ]


def test_bonus_with_steps_and_a_release() -> None:
    ladder = {"period": "year", "steps": [{"from_cents": 50_000, "bp": 250}]}
    plan = {
        "rules": [a_rule("bonus", percent(100, ladder=ladder))],
        "release": {"months": [12, 6]},
        "expires_after_months": 0,
    }
    assert told("bonus", plan) == [
        "1 % of what is paid, 2.5 % from €500.00 a year on",
        "What was earned ends with its month",
        "Can be spent from the first of: June, December",
    ]


def test_points_serial_card_and_tiers() -> None:
    thresholds = [{"at": 100, "reward": "coffee"}]
    assert told(
        "points", {"rules": [a_rule("join", award(50), on="join")], "thresholds": thresholds, "repeats": True}
    ) == [
        "50 stamps extra; for joining",
        "At 100 stamps: Free coffee",
        "Then the count begins anew and keeps the rest",
    ]
    day = {"day": "2026-12-06", "every": "year", "hour": 9}
    rules = [
        a_rule("day", award(5), on="schedule", schedule=day),
        a_rule("at", award(5), on="threshold_reached", at=500),
    ]
    assert told("points", {"rules": rules}) == [
        "5 stamps extra; every year from 6 Dec 2026 on, 09:00",
        "5 stamps extra; on reaching 500 stamps",
    ]
    steps = [{"within_days": 30, "credit_cents": 2000}]
    assert told("serial_card", {"uses": 10, "price_cents": 9000, "valid_months": 12, "speed_steps": steps}) == [
        "10 uses for €90.00",
        "Good for 12 months",
        "€20.00 come back when all are used within 30 days",
    ]
    assert told(
        "standing", {"tiers": [{"slug": "gold", "from_visits": 12, "period": "month", "discount_bp": 550}]}
    ) == ["gold from 12 visits on a month: 5.5 % off; kept for 12 months"]


def test_every_effect_and_condition_has_a_sentence_in_three_languages() -> None:
    conditions = {
        "max_cents": 9000, "outlets": ["kallio"], "hours": {"from": "18:00", "to": "02:00"}, "tiers": ["gold"],
        "member_kinds": ["company"], "birthday_month": True, "from": "2026-12-01", "until": "2026-12-24",
        "channels": ["web"], "lines": {"skus": ["latte"]},
    }  # fmt: skip
    effects = [
        {"do": "per_item", "n": 2}, per_amount(100, of="lines"), {"do": "issue", "reward": "coffee"},
        {"do": "set_tier", "tier": "gold"}, {"do": "message", "key": "hello"},
        {"do": "surprise", "picks": [{"weight": 1, "n": 5}, {"weight": 9}]},
    ]  # fmt: skip
    plan = {
        "rules": [a_rule("all", *effects, when=conditions), a_rule("first", award(1, base=True), on="first_purchase")]
    }
    said = {}
    for language in ("fi", "sv", "en"):
        with use_language(language):
            said[language] = told("points", plan)
    assert said["en"][0].startswith(
        "2 stamps for each item + 1 stamp for each full €1.00 of these goods + gives: Free coffee"
    )
    assert "until 24 Dec 2026" in said["en"][0]
    assert said["en"][1] == "1 stamp each time; for the first purchase"
    assert len({tuple(texts) for texts in said.values()}) == 3


def test_difference_tells_new_changed_gone_and_same() -> None:
    before = [Sentence("a", "one"), Sentence("b", "two"), Sentence("c", "three")]
    after = [Sentence("c", "three"), Sentence("b", "2"), Sentence("d", "four")]

    found = wording.difference(before, after)

    assert [(one.sign, one.before, one.after) for one in found] == [
        ("same", "three", "three"), ("changed", "two", "2"), ("new", None, "four"), ("gone", "one", None),
    ]  # fmt: skip


def test_the_plan_of_the_tests_reads_as_a_card() -> None:
    assert told("stamp_card", a_plan().to_json()) == ["1 stamp for each full €4.00"]
