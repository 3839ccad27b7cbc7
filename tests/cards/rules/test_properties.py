"""What holds for every plan and every purchase."""

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.cards.rules import MAX_STAMPS, Line, Plan, Used, evaluate, facts_from_json, facts_to_json, parse
from tests.programs import local, some_facts

NUMBERS = st.integers(1, 60)
STEPS = st.integers(1, 3000)
LINES = st.lists(
    st.builds(Line, st.sampled_from("ab"), st.sampled_from("xy"), st.integers(1, 5), st.integers(0, 5000)), max_size=4
).map(tuple)
MOMENTS = st.sampled_from([local(2026, 11, 21, 1), local(2026, 11, 18, 12), local(2026, 10, 25, 3, 30, fold=1)])
LADDERS = st.builds(
    lambda first, bp: {"period": "year", "steps": [{"from_cents": first, "bp": bp}]},
    st.integers(0, 3000),
    st.integers(0, 900),
)
WHEN = st.fixed_dictionaries(
    {},
    optional={
        "min_cents": st.integers(0, 4000),
        "weekdays": st.sampled_from([["fri"], ["sat", "wed"]]),
        "hours": st.just({"from": "22:00", "to": "12:30"}),
        "tiers": st.sampled_from([["gold"], ["silver"]]),
        "lines": st.fixed_dictionaries({}, optional={"groups": st.just(["x"]), "min_quantity": st.integers(1, 3)}),
    },
)
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "member": st.fixed_dictionaries({}, optional={"day": st.integers(1, 3), "ever": st.integers(1, 3)}),
        "first_n": st.integers(1, 3),
        "budget": st.integers(1, 400),
    },
)
USED = st.builds(Used, *[st.integers(0, 3)] * 5, st.integers(0, 400))
EFFECTS = {
    "award": st.fixed_dictionaries({"do": st.just("award"), "n": NUMBERS, "base": st.booleans()}),
    "per_amount": st.fixed_dictionaries({"do": st.just("per_amount"), "cents": STEPS, "n": NUMBERS}),
    "per_item": st.fixed_dictionaries({"do": st.just("per_item"), "n": NUMBERS}),
    "multiply": st.fixed_dictionaries({"do": st.just("multiply"), "times_bp": st.integers(10_001, 40_000)}),
    "percent": st.fixed_dictionaries(
        {"do": st.just("percent"), "bp": st.integers(0, 10_000)}, optional={"ladder": LADDERS}
    ),
    "surprise": st.fixed_dictionaries(
        {"do": st.just("surprise"), "picks": st.lists(st.builds(lambda n: {"weight": 1, "n": n}, NUMBERS), min_size=1)}
    ),
}


@st.composite
def plans(draw: st.DrawFn, kind: str) -> Plan:
    """Draw up to five rules with every effect, condition and limit."""
    effects = [name for name in EFFECTS if kind == "bonus" or name != "percent"]
    rules: list[dict[str, Any]] = []
    for place in range(draw(st.integers(1, 5))):
        chosen = draw(st.lists(st.sampled_from(effects), min_size=1, max_size=3, unique=True))
        then, limit = [draw(EFFECTS[name]) for name in chosen], draw(LIMITS)
        stack = f"s{place}" if "budget" in limit else draw(st.sampled_from(["base", "other"]))
        rules.append(
            {
                "name": f"r{place}",
                "stack": stack,
                "when": draw(WHEN),
                "then": then,
                "limit": limit,
            }
        )
    return parse(kind, {"rules": rules})


KINDS = st.sampled_from(["stamp_card", "bonus"])
CASES = KINDS.flatmap(lambda kind: st.tuples(st.just(kind), plans(kind)))
FACTS = st.fixed_dictionaries(
    {
        "lines": LINES,
        "at": MOMENTS,
        "tier": st.sampled_from(["", "gold"]),
        "used": st.dictionaries(st.sampled_from(["r0", "r1", "r2"]), USED),
        "period_cents": st.builds(lambda cents: {"year": cents}, st.integers(0, 4000)),
        "seed": st.sampled_from(["00", "01", "02"]),
    }
)
DUES = st.integers(0, 20_000)


@given(case=CASES, facts=FACTS, due=DUES)
def test_award_is_the_sum_of_its_parts_up_to_the_cap_and_zero_has_a_reason(
    case: tuple[str, Plan], facts: dict[str, Any], due: int
) -> None:
    kind, plan = case

    outcome = evaluate(plan, some_facts(due, kind=kind, **facts))

    total = sum(part.amount for part in outcome.parts)
    assert outcome.amount == (min(total, MAX_STAMPS) if kind == "stamp_card" else total)
    assert all(part.amount > 0 for part in outcome.parts)
    assert outcome.amount > 0 or outcome.reason
    assert (outcome.reason == "capped") is (total > outcome.amount)


@given(case=CASES, facts=FACTS, dues=st.lists(DUES, min_size=2, max_size=6).map(sorted))
def test_paying_more_never_earns_less(case: tuple[str, Plan], facts: dict[str, Any], dues: list[int]) -> None:
    kind, plan = case

    earned = [evaluate(plan, some_facts(due, kind=kind, **facts)).amount for due in dues]

    assert all(less <= more for less, more in pairwise(earned))


@given(case=CASES, facts=FACTS, due=DUES)
def test_no_rule_gives_beyond_its_budget_or_after_its_limits(
    case: tuple[str, Plan], facts: dict[str, Any], due: int
) -> None:
    kind, plan = case
    outcome = evaluate(plan, some_facts(due, kind=kind, **facts))
    gave = {rule.name: sum(part.amount for part in outcome.parts if part.rule == rule.name) for rule in plan.rules}

    for rule in plan.rules:
        used = facts["used"].get(rule.name, Used())
        limit = rule.limit
        assert limit is not None
        if limit.budget is not None:
            assert gave[rule.name] <= max(limit.budget - used.awarded, 0)
        if limit.first_n is not None and used.everybody >= limit.first_n:
            assert gave[rule.name] == 0
        if limit.member and limit.member.day is not None and used.member_day >= limit.member.day:
            assert gave[rule.name] == 0
        assert outcome.uses.get(rule.name, 0) <= gave[rule.name]
    assert sum(outcome.uses.values()) == outcome.amount  # every rule here carries a limit


@given(case=CASES, facts=FACTS, due=DUES)
def test_plan_and_facts_that_were_kept_as_json_give_the_same(
    case: tuple[str, Plan], facts: dict[str, Any], due: int
) -> None:
    kind, plan = case
    before = some_facts(due, kind=kind, **facts)

    after = facts_from_json(facts_to_json(before), due_cents=due, lines=before.lines)

    assert evaluate(parse(kind, plan.to_json()), after) == evaluate(plan, before)
