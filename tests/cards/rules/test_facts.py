"""Facts and parts are kept as JSON with an award and looked at again at a refund."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.cards.rules import (
    Line,
    Part,
    Used,
    evaluate,
    facts_from_json,
    facts_to_json,
    parts_from_json,
    parts_to_json,
)
from tests.programs import a_plan, a_rule, award, local, per_amount, some_facts

LINES = (Line("mug", "mugs", 1, 1200), Line("latte", "coffee", 2, 900))
EVERYTHING = some_facts(
    2100,
    lines=LINES,
    outlet="o",
    reseller="r",
    chain="c",
    channel="kiosk",
    member_kind="company",
    tier="gold",
    first_purchase=True,
    birthday_month=True,
    period_cents={"year": 5},
    visited_today=True,
    used={"extra": Used(1, 2, 3, 4, 5, 6)},
    seed="00ff",
)


@pytest.mark.parametrize(
    "at", [local(2026, 10, 25, 3, 30), local(2026, 10, 25, 3, 30, fold=1), local(2027, 3, 28, 4, 0, 0, 123_456)]
)
def test_facts_are_the_same_after_json_also_in_the_hour_that_comes_twice(at: datetime) -> None:
    facts = replace(EVERYTHING, at=at)

    kept = json.loads(json.dumps(facts_to_json(facts)))
    again = facts_from_json(kept, due_cents=facts.due_cents, lines=facts.lines)

    assert again == facts
    assert (again.at.utcoffset(), again.at.fold) == (at.utcoffset(), at.fold)
    assert not {"due_cents", "lines"} & set(kept)


def test_second_look_with_fewer_lines_uses_the_limits_of_the_first() -> None:
    # 21.00: 5 stamps and 5 extra, for the 99th of 100. After the mug is back: 9.00, 2 stamps and the same 5.
    plan = a_plan(a_rule(), a_rule("extra", award(5), stack="extra", limit={"first_n": 100}))
    facts = some_facts(2100, lines=LINES, used={"extra": Used(everybody=99)})

    kept = facts_to_json(facts)
    after = facts_from_json(kept, due_cents=900, lines=LINES[1:])

    assert (evaluate(plan, facts).amount, evaluate(plan, after).amount) == (10, 7)


def test_facts_outside_a_named_zone_cannot_be_kept() -> None:
    with pytest.raises(ValueError, match="zone"):
        facts_to_json(replace(EVERYTHING, at=datetime(2026, 11, 18, tzinfo=UTC)))


def test_parts_are_the_same_after_json() -> None:
    label = {"fi": "Tuplat", "en": "Doubles"}
    parts = evaluate(a_plan(a_rule("r", per_amount(400), award(2), label=label)), some_facts(1000)).parts

    assert parts_from_json(json.loads(json.dumps(parts_to_json(parts)))) == parts
    assert parts[1] == Part("r", "fixed", 2, "award", {"label": label})
