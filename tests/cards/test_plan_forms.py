"""Plans by plain fields and as text: what a form says, what fills it again, and what is wrong where."""

import json
from typing import Any

import pytest

from app.cards import form_values, plan_forms, plan_text, rules
from app.cards.form_values import Reader
from app.cards.plan_text import PlanFaults
from tests.cards.rules.test_documents import EXAMPLES

FORMS: dict[str, dict[str, str]] = {
    "stamp_card": {"per": "euros", "step": "4", "n": "1", "weekend": "1.5", "day_limit": "3", "expires": "24",
                   "weekend_label_en": "Weekends"},
    "bonus": {"percent": "2.5", "period": "year", "from_1": "500", "rate_1": "5", "release_6": "1", "release_12": "1",
              "expires": "0"},
    "points": {"step": "1", "n": "2", "at_1": "500", "reward_1": "coffee", "at_2": "1000", "reward_2": "lunch",
               "repeats": "1", "weekend": "2"},
    "visits": {"at_1": "10", "reward_1": "entry", "repeats": "1"},
    "cash_back": {"every": "500", "gift": "card-25"},
    "serial_card": {"uses": "10", "price": "90", "valid": "12", "days_1": "30", "credit_1": "20"},
    "standing": {"by": "spend", "period": "year", "tier_1": "silver", "from_1": "500", "rate_1": "3", "keeps_1": "12",
                 "tier_2": "gold", "from_2": "1500.50", "rate_2": "5.5", "keeps_2": "24"},
}  # fmt: skip
PLANS: dict[str, dict[str, Any]] = {
    "stamp_card": {
        "rules": [
            {"name": "base", "then": [{"do": "per_amount", "cents": 400, "n": 1}], "limit": {"member": {"day": 3}}},
            {"name": "weekend", "label": {"en": "Weekends"}, "when": {"weekdays": ["sat", "sun"]},
             "then": [{"do": "multiply", "times_bp": 15_000}]},
        ],
        "expires_after_months": 24,
    },
    "bonus": {
        "rules": [{"name": "base", "then": [{"do": "percent", "bp": 250, "ladder": {
            "period": "year", "steps": [{"from_cents": 50_000, "bp": 500}]}}]}],
        "release": {"months": [6, 12]}, "expires_after_months": 0,
    },
    "points": {
        "rules": [
            {"name": "base", "then": [{"do": "per_amount", "cents": 100, "n": 2}]},
            {"name": "weekend", "when": {"weekdays": ["sat", "sun"]}, "then": [{"do": "multiply", "times_bp": 20_000}]},
        ],
        "thresholds": [{"at": 500, "reward": "coffee"}, {"at": 1000, "reward": "lunch"}], "repeats": True,
    },
    "visits": {
        "rules": [{"name": "visit", "on": "visit", "then": [{"do": "award", "n": 1, "base": True}]}],
        "thresholds": [{"at": 10, "reward": "entry"}], "repeats": True,
    },
    "cash_back": {
        "rules": [{"name": "paid", "then": [{"do": "percent", "bp": 10_000}]}],
        "thresholds": [{"at": 50_000, "reward": "card-25"}], "repeats": True,
    },
    "serial_card": {
        "uses": 10, "price_cents": 9000, "valid_months": 12, "speed_steps": [{"within_days": 30, "credit_cents": 2000}],
    },
    "standing": {"tiers": [
        {"slug": "silver", "from_cents": 50_000, "period": "year", "discount_bp": 300, "keeps_months": 12},
        {"slug": "gold", "from_cents": 150_050, "period": "year", "discount_bp": 550, "keeps_months": 24},
    ]},
}  # fmt: skip


@pytest.mark.parametrize("kind", plan_forms.KINDS)
def test_form_of_each_kind_says_a_plan_and_is_filled_by_it_again(kind: str) -> None:
    said, errors = plan_forms.to_plan(kind, FORMS[kind])

    assert (said, errors) == (PLANS[kind], {})
    plan = rules.parse(kind, said)
    assert plan_forms.covers(kind, plan)
    again, _errors = plan_forms.to_plan(kind, plan_forms.from_plan(kind, plan))
    assert again == said


@pytest.mark.parametrize(
    ("form", "then"),
    [
        ({"per": "item", "groups": "mugs, cups", "n": "2"}, {"do": "per_item", "n": 2}),
        ({"per": "purchase", "least": "5", "n": "3"}, {"do": "award", "n": 3, "base": True}),
    ],
)
def test_stamps_by_item_and_by_purchase(form: dict[str, str], then: dict[str, Any]) -> None:
    said, errors = plan_forms.to_plan("stamp_card", form)

    assert errors == {}
    assert said["rules"][0]["then"] == [then]
    when = {"lines": {"groups": ["mugs", "cups"]}} if form["per"] == "item" else {"min_cents": 500}
    assert said["rules"][0]["when"] == when
    assert plan_forms.covers("stamp_card", rules.parse("stamp_card", said))


BESIDE: dict[str, tuple[dict[str, str], list[dict[str, Any]]]] = {
    "points": (
        {"beside_1": "join", "beside_n_1": "50", "beside_2": "threshold_reached", "beside_at_2": "500",
         "beside_reward_2": "bun", "beside_4": "schedule", "beside_n_4": "5", "beside_day_4": "2026-12-06",
         "beside_every_4": "year"},
        [
            {"name": "join", "on": "join", "then": [{"do": "award", "n": 50}], "stack": "join"},
            {"name": "threshold-reached", "on": "threshold_reached", "then": [{"do": "issue", "reward": "bun"}],
             "stack": "threshold-reached", "at": 500},
            {"name": "schedule", "on": "schedule", "then": [{"do": "award", "n": 5}], "stack": "schedule",
             "schedule": {"day": "2026-12-06", "every": "year"}},
        ],
    ),
    "bonus": (
        {"beside_1": "birthday_month", "beside_n_1": "5", "beside_reward_1": "bun"},
        [{"name": "birthday-month", "on": "birthday_month", "stack": "birthday-month",
          "then": [{"do": "award", "n": 500}, {"do": "issue", "reward": "bun"}]}],
    ),
    "standing": (
        {"beside_1": "join", "beside_reward_1": "bun"},
        [{"name": "join", "on": "join", "then": [{"do": "issue", "reward": "bun"}], "stack": "join"}],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(BESIDE))
def test_rows_beside_purchases_are_rules_that_fill_them_again(kind: str) -> None:
    form, wanted = BESIDE[kind]

    said, errors = plan_forms.to_plan(kind, FORMS[kind] | form)

    assert (errors, said["rules"][-len(wanted) :]) == ({}, wanted)
    plan = rules.parse(kind, said)
    assert plan_forms.covers(kind, plan)
    said["rules"][-1] |= {"name": "hello", "stack": "hello"}
    assert plan_forms.covers(kind, rules.parse(kind, said))


def test_half_a_row_beside_purchases_is_told() -> None:
    form = {"beside_1": "join", "beside_2": "schedule", "beside_n_2": "x", "beside_day_2": "soon",
            "beside_3": "threshold_reached", "beside_n_3": "1"}  # fmt: skip
    errors = plan_forms.to_plan("points", FORMS["points"] | form)[1]
    assert set(errors) == {"beside_n_1", "beside_n_2", "beside_day_2", "beside_at_3"}


def test_tiers_by_visits() -> None:
    form = {"by": "visits", "period": "month", "tier_1": "often", "from_1": "4", "rate_1": "10", "keeps_1": "1"}
    said, errors = plan_forms.to_plan("standing", form)

    assert errors == {}
    assert said["tiers"][0]["from_visits"] == 4
    assert plan_forms.covers("standing", rules.parse("standing", said))


@pytest.mark.parametrize(("kind", "plan"), EXAMPLES)
def test_plans_of_the_document_that_say_more_than_the_fields_are_told(kind: str, plan: dict[str, Any]) -> None:
    parsed = rules.parse(kind, plan)
    form = plan_forms.from_plan(kind, parsed)
    said, errors = plan_forms.to_plan(kind, form)

    same = not errors and rules.parse(kind, said) == parsed
    assert plan_forms.covers(kind, parsed) == same
    assert same or kind in ("stamp_card", "bonus", "points", "visits", "standing")


def test_what_is_wrong_is_told_by_field() -> None:
    _plan, errors = plan_forms.to_plan(
        "points", {"step": "x", "n": "0", "weekend": "1", "day_limit": "-1", "at_1": "5"}
    )
    assert set(errors) == {"step", "n", "weekend", "day_limit", "reward_1"}
    assert errors["n"] == "Write a whole number from 1 to 1000."
    for kind, field in (("bonus", "percent"), ("cash_back", "every"), ("serial_card", "price"), ("standing", "tier_1")):
        assert field in plan_forms.to_plan(kind, {})[1]


@pytest.mark.parametrize(
    ("text", "value"),
    [("4", 400), ("4,5", 450), (" 1 000.25 € ", 100_025), ("0", 0), ("4.555", None), ("", None), ("-1", None)],
)
def test_numbers_as_people_type_them(text: str, value: int | None) -> None:
    assert form_values.hundredths(text) == value


def test_amounts_are_written_as_they_are_read() -> None:
    assert [form_values.euros(cents) for cents in (400, 450, 5)] == ["4", "4.50", "0.05"]
    assert [form_values.percent_text(bp) for bp in (250, 300, 2505)] == ["2.5", "3", "25.05"]
    reader = Reader({"a": "1, 2,,1"})
    assert (reader.names("a"), reader.names("b", needed=True), reader.errors) == (
        ["1", "2"],
        [],
        {"b": "Fill this in."},
    )


def test_text_is_read_to_a_plan() -> None:
    text = plan_text.written(PLANS["points"])
    assert plan_text.read("points", text) == rules.parse("points", PLANS["points"])
    assert json.loads(text) == PLANS["points"]


def test_faults_of_a_text_name_their_lines_and_places() -> None:
    plan = {"rules": [{"name": "x", "then": [{"do": "per_amount", "cents": 0}]}, {"name": "y", "then": []}], "odd": 1}

    with pytest.raises(PlanFaults) as told:
        plan_text.read("points", json.dumps(plan))

    lines = told.value.text.splitlines()
    found = [(fault.line, fault.shown, fault.place) for fault in told.value.faults]
    assert found == [
        (8, '"cents": 0', "rules › 1 › then › 1 › cents"),
        (14, '"then": []', "rules › 2 › then"),
        (17, '"odd": 1', "odd"),
    ]
    assert [lines[line - 1].strip() for line, _shown, _place in found] == [shown for _line, shown, _place in found]


@pytest.mark.parametrize(("text", "line"), [('{\n  "rules": [\n}', 3), ("", 1), ("[" * 20_000, 1), ("7", 1)])
def test_text_that_is_no_json_or_no_object_is_told(text: str, line: int) -> None:
    with pytest.raises(PlanFaults) as told:
        plan_text.read("points", text)
    assert [fault.line for fault in told.value.faults] == [line]


def test_what_does_not_fit_the_kind_is_told_for_the_whole() -> None:
    with pytest.raises(PlanFaults) as told:
        plan_text.read("visits", json.dumps(PLANS["serial_card"]))
    assert "a visits needs rules" in str(told.value)
