"""How an award was counted, as people read it."""

from typing import Any

import pytest

from app.cards.explain import explain
from app.cards.rules import Line, evaluate
from app.core.i18n import use_language
from tests.programs import a_plan, a_rule, award, given, local, per_amount, percent, some_facts, times

DOUBLES = a_rule(
    "doubles",
    times(20_000),
    when={"weekdays": ["sat"]},
    label={"en": "weekend doubles", "fi": "viikonlopun tuplat", "sv": "dubbelt på helgen"},
)
SATURDAY = local(2026, 11, 21, 12)


def told(*rules: dict[str, Any], unit: tuple[str, str] = ("stamp", "stamps"), **facts: Any) -> str:
    return explain(given(*rules, **facts).parts, unit)


def test_steps_and_a_labelled_doubling_are_told_as_in_the_brief() -> None:
    assert told(a_rule("r", per_amount(1500)), DOUBLES, due_cents=3340, at=SATURDAY) == (
        "4 stamps: €33.40 at €15.00 each; weekend doubles"
    )


@pytest.mark.parametrize(
    ("language", "unit", "sentence"),
    [
        ("fi", ("leima", "leimaa"), "4 leimaa: 33,40 €, aina 15,00 € kohden yksi; viikonlopun tuplat"),
        ("sv", ("stämpel", "stämplar"), "4 stämplar: 33,40 €, en för varje 15,00 €; dubbelt på helgen"),
    ],
)
def test_sentence_speaks_the_members_language(language: str, unit: tuple[str, str], sentence: str) -> None:
    with use_language(language):
        said = told(a_rule("r", per_amount(1500)), DOUBLES, due_cents=3340, at=SATURDAY, unit=unit)

    assert said.replace("\u00a0", " ") == sentence


def test_money_is_written_as_money() -> None:
    # 2.5 % of 33.40 = 83.5 cents, half up 84.
    parts = given(a_rule("r", percent(250)), kind="bonus", due_cents=3340).parts

    assert explain(parts, ("bonus", "bonus"), money=True) == "€0.84 bonus: 2.5 % of €33.40"


def test_every_effect_is_told_by_its_figures() -> None:
    surprise = {"do": "surprise", "picks": [{"weight": 1, "n": 7}]}
    rule = a_rule(
        "r", award(1, base=True), {"do": "per_item", "n": 2}, per_amount(400, 3), times(15_000), award(5), surprise
    )
    plan = a_plan(rule)

    parts = evaluate(plan, some_facts(800, lines=(Line("mug", "mugs", 2, 800),), seed="00")).parts

    # 1 + 2 x 2 + 2 x 3 = 11; half of it more is 5.5, so 6; then 5 and 7.
    assert explain(parts, ("stamp", "stamps")) == (
        "29 stamps: 1 each time; products 2 × 2; €8.00, 3 for each €4.00; times 1.5; 5 extra; a surprise of 7"
    )


def test_one_is_singular_a_cap_is_what_was_given_and_nothing_is_not_told() -> None:
    assert told(a_rule("r", award(1))) == "1 stamp: 1 extra"
    capped = given(a_rule("r", per_amount(100)), due_cents=40_000)
    assert explain(capped.parts, ("stamp", "stamps"), amount=capped.amount).startswith("300 stamps: ")
    assert explain((), ("stamp", "stamps")) == ""
