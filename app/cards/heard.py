"""Which rules something makes count: a version with a rule that nobody would ever hear is refused.

A slice that reports a trigger says so when it is imported: `heard.reports("survey_answered")`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from app.cards.events import MessageAsked
from app.cards.rules import Plan, Rule
from app.core import jobs
from app.core.i18n import gettext as _

# By the purchase itself, joining, the jobs of this slice, and what a balance or a tier reaches.
_reported = {"purchase", "visit", "first_purchase", "join", "birthday_month", "schedule", "threshold_reached"}


@dataclass(frozen=True)
class Unheard:
    """A rule that would never count; `code` says why: see `sentence`."""

    rule: str
    code: str
    what: str

    def __str__(self) -> str:
        return f"rule {self.rule}: {self.what} ({self.code})"

    @property
    def sentence(self) -> str:
        """Return why, for people who write rules, in the language of this moment."""
        words = {
            "trigger_unheard": _("Rule “%(rule)s” waits for something that nothing reports yet.", rule=self.rule),
            "message_unheard": _("Rule “%(rule)s” sends a message, and nothing sends it yet.", rule=self.rule),
            "schedule_missing": _("Rule “%(rule)s” needs the day on which it gives.", rule=self.rule),
            "threshold_missing": _("Rule “%(rule)s” needs the balance at which it gives.", rule=self.rule),
            "threshold_unheard": _("Rule “%(rule)s” waits for a balance that this program does not keep.",
                                   rule=self.rule),
        }  # fmt: skip
        return words[self.code]


def reports(kind: str) -> None:
    """Say that something calls `triggers.trigger` with this kind, so that rules may wait for it."""
    _reported.add(kind)


def unheard(kind: str, plan: Plan) -> list[Unheard]:
    """Return the rules of a program of a kind that nothing would make count, each with its first reason."""
    found = (next(_faults(kind, plan, rule), None) for rule in plan.rules)
    return [one for one in found if one is not None]


def _faults(kind: str, plan: Plan, rule: Rule) -> Iterator[Unheard]:
    if rule.on not in _reported:
        yield Unheard(rule.name, "trigger_unheard", f"nothing reports {rule.on} yet")
    if any(effect.do == "message" for effect in rule.then) and not list(jobs.listeners(MessageAsked)):
        yield Unheard(rule.name, "message_unheard", "nothing sends messages yet")
    if rule.on == "schedule" and rule.schedule is None:
        yield Unheard(rule.name, "schedule_missing", "a rule on schedule needs its schedule")
    if rule.on == "threshold_reached":
        counts = kind in ("points", "visits")
        if not counts and kind != "standing":
            yield Unheard(rule.name, "threshold_unheard", f"a {kind} has no balance that is reached")
        elif counts and rule.at is None:
            yield Unheard(rule.name, "threshold_missing", "a rule on threshold_reached needs `at`, the balance")
        elif plan.repeats and (rule.at or 0) > plan.thresholds[-1].at:
            yield Unheard(rule.name, "threshold_unheard", f"the count begins anew at {plan.thresholds[-1].at}")
        elif not counts and rule.at is not None:
            yield Unheard(rule.name, "threshold_unheard", "a tier is reached, not a balance: leave `at` out")
