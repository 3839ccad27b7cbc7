"""A sentence for every reason, in three languages."""

import re
from pathlib import Path
from typing import Any

import pytest

from app.cards import limits, reasons, rules
from app.core.i18n import LANGUAGES, use_language

RULES = Path(rules.__file__).parent
PLAIN = {"rule": "r"}


def codes() -> set[str]:
    """Return the reason codes that the rules' modules write."""
    source = "".join(path.read_text(encoding="utf-8") for path in RULES.glob("*.py"))
    found = set(re.findall(r'(?:Miss\(|reason=|return )"([a-z_]+)"(?=[,)])', source))
    return found | {f"limit_member_{name}" for name in ("day", "week", "month", "ever")} | {"no_rule"}


def test_every_code_that_rules_and_limits_can_give_has_a_sentence_of_its_own() -> None:
    assert {"capped", "below_one_step", "visited_today", "first_n_over"} <= codes()
    assert codes() | set(limits.CUTS) | {reasons.BIRTHDAY_LATELY} == reasons.CODES


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["stamp_card", "bonus"])
def test_each_code_reads_differently_and_an_unknown_one_says_that_it_was_less(language: str, kind: str) -> None:
    with use_language(language):
        said = [reasons.sentence(code, PLAIN, kind=kind) for code in [*sorted(reasons.CODES), "something_new"]]

    assert all(said)
    assert len(set(said)) == len(said)


@pytest.mark.parametrize(
    ("code", "values", "kind", "sentence"),
    [
        ("", {}, "stamp_card", ""),
        ("below_one_step", {"missing_cents": 60}, "stamp_card", "€0.60 short of the first stamp"),
        ("below_one_step", {"missing_cents": 60}, "points", "€0.60 more would have earned something"),
        ("below_minimum", {"min_cents": 1000}, "visits", "Earns from €10.00 on"),
        ("too_few_items", {"missing": 1}, "stamp_card", "One more of these products would earn"),
        ("too_few_items", {"missing": 2}, "stamp_card", "2 more of these products would earn"),
        ("no_rate_yet", {"missing_cents": 1000}, "bonus", "€10.00 more in this period, and purchases begin to earn"),
        ("no_rate_yet", {}, "bonus", "The rate is 0 % now"),
        ("capped", {"most": 300}, "stamp_card", "One purchase earns 300 at most"),
        ("first_n_over", {"first": 1000}, "points", "The first 1,000 have had it"),
        ("limit_member_day", {"times": 1}, "points", "Counts once a day"),
        ("limit_member_week", {"times": 3}, "points", "Counts 3 times a week"),
        (
            "limit_member_ever",
            {"times": 1, "label": {"en": "Opening day"}},
            "points",
            "Opening day: Counts once for each member",
        ),
    ],
)
def test_sentence_says_the_figures_of_its_values(code: str, values: dict[str, Any], kind: str, sentence: str) -> None:
    assert reasons.sentence(code, values, kind=kind) == sentence
