"""What a plan gives for some facts: pure, so that a quote, a booking and a refund's second look cannot differ.

Base first, then multipliers of it, then fixed awards. Within a stack group, and in each of these phases, the best for
the member wins, the earlier rule on a tie; groups add up. Each multiplier adds its own extra, rounded half up: x2 and
x3 in two groups are 1 + 1 + 2. Rewards, tiers and messages are not compared: every rule that counts gives its own.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from app.cards.rules import effects
from app.cards.rules.facts import Facts, Outcome, Part, Used
from app.cards.rules.matching import Miss, hears, is_paid, misses, used_up
from app.cards.rules.model import Plan, Rule
from app.cards.rules.parts import Issue, Message, SetTier, Surprise

MAX_STAMPS = 300  # one event: a slip of the finger must not issue coupons by the thousand while a till waits
_SHORT = ("below_minimum", "below_minimum_of_items", "too_few_items")  # a little more and it would be earned


def evaluate(plan: Plan, facts: Facts) -> Outcome:
    """Return what a plan gives, in the program's unit (cents for bonus and cash back), and why.

    Raises:
        ValueError: a surprise without a seed.
        KeyError: the facts lack the spend of a ladder's period.

    Source: earning.md, "Programs"; decision 0005 for the cap.
    """
    if is_paid(facts) and facts.due_cents <= 0:
        return Outcome(reason="nothing_paid")
    if facts.kind == "visits" and _is_visit(facts) and facts.visited_today:
        return Outcome(reason="visited_today")
    return _Evaluation(plan, facts).outcome()


def _is_visit(facts: Facts) -> bool:
    return is_paid(facts) or facts.trigger == "visit"


def _cap(facts: Facts) -> int | None:
    if facts.kind == "visits" and _is_visit(facts):
        return 1
    return MAX_STAMPS if facts.kind in ("stamp_card", "visits") else None


@dataclass
class _Bid:
    """What a rule offers in a phase, how much of it may be given, and what cut it."""

    rule: Rule
    parts: list[Part]
    wanted: int
    given: int
    cut: Miss | None


@dataclass
class _Why:
    """A reason why something was not given: the smaller `rank`, the nearer it was; ties go by what is missing."""

    rank: tuple[int, int]
    rule: Rule
    miss: Miss

    def told(self) -> tuple[str, dict[str, object]]:
        label = {"label": dict(self.rule.label)} if self.rule.label else {}
        return self.miss.code, {**self.miss.values, "rule": self.rule.name, **label}


@dataclass
class _Gifts:
    issues: list[str] = field(default_factory=list)
    tiers: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    rules: set[str] = field(default_factory=set)


class _Evaluation:
    """One evaluation, phase by phase."""

    def __init__(self, plan: Plan, facts: Facts) -> None:
        self.facts = facts
        self.heard = [rule for rule in plan.rules if hears(rule, facts)]
        failed = {rule.name: misses(rule, facts) for rule in self.heard}
        self.holding = [rule for rule in self.heard if not failed[rule.name]]
        self.blocked = {rule.name: used_up(rule, self._used(rule)) for rule in self.holding}
        self.left = {
            rule.name: rule.limit.budget - self._used(rule).awarded
            for rule in self.holding
            if rule.limit and rule.limit.budget
        }
        self.parts: list[Part] = []
        self.cuts: list[tuple[int, _Why]] = []  # how much was lost, and why
        self.near = [self._failed(rule, failed[rule.name]) for rule in self.heard if failed[rule.name]]

    def _used(self, rule: Rule) -> Used:
        return self.facts.used.get(rule.name, Used())

    @staticmethod
    def _failed(rule: Rule, found: tuple[Miss, ...]) -> _Why:
        short = len(found) == 1 and found[0].code in _SHORT
        rank = 2 if short else 3 + len(found)
        return _Why((rank, found[0].values.get("missing_cents", 0)), rule, found[0])

    def outcome(self) -> Outcome:
        """Run the phases and add up."""
        self._phase(lambda rule: effects.base(rule, self.facts))
        base = sum(part.amount for part in self.parts)
        self._phase(lambda rule: effects.multiplied(rule, base))
        self._phase(lambda rule: effects.fixed(rule, self.facts))
        gifts = self._gifts()
        total = sum(part.amount for part in self.parts)
        cap = _cap(self.facts)
        amount = total if cap is None else min(total, cap)
        reason, values = self._reason(amount, total, gifts)
        return Outcome(
            amount,
            tuple(self.parts),
            reason,
            values,
            tuple(gifts.issues),
            gifts.tiers[0] if gifts.tiers else None,
            tuple(gifts.messages),
            self._uses(amount, gifts),
        )

    def _phase(self, offers: Callable[[Rule], Iterable[Part]]) -> None:
        """Let the best bid of each stack group win, and note what limits and budgets cut."""
        groups: dict[str, list[_Bid]] = {}
        for rule in self.holding:
            if (bid := self._bid(rule, list(offers(rule)))).wanted:
                groups.setdefault(rule.stack, []).append(bid)
        for bids in groups.values():
            best = max(bids, key=lambda bid: bid.given)
            self._take(best)
            hoped = max(bids, key=lambda bid: bid.wanted)
            if hoped.wanted > best.given and hoped.cut:
                rank = 0 if hoped.parts[0].phase == "base" else 3
                self.cuts.append((hoped.wanted - best.given, _Why((rank, 0), hoped.rule, hoped.cut)))

    def _bid(self, rule: Rule, parts: list[Part]) -> _Bid:
        wanted = sum(part.amount for part in parts)
        if blocked := self.blocked[rule.name]:
            return _Bid(rule, parts, wanted, 0, blocked)
        given = min(wanted, self.left.get(rule.name, wanted))
        cut = Miss("budget_used", {"missing": wanted - given}) if given < wanted else None
        return _Bid(rule, parts, wanted, given, cut)

    def _take(self, bid: _Bid) -> None:
        given = bid.given
        if bid.rule.name in self.left:
            self.left[bid.rule.name] -= given
        for part in bid.parts:
            amount = min(part.amount, given)
            given -= amount
            if amount:
                self.parts.append(replace(part, amount=amount))

    def _gifts(self) -> _Gifts:
        gifts = _Gifts()
        for rule in self.holding:
            if self.blocked[rule.name]:
                continue
            before = len(gifts.issues) + len(gifts.tiers) + len(gifts.messages)
            for effect in rule.then:
                if isinstance(effect, Issue):
                    gifts.issues.append(effect.reward)
                elif isinstance(effect, SetTier):
                    gifts.tiers.append(effect.tier)
                elif isinstance(effect, Message):
                    gifts.messages.append(effect.key)
                elif isinstance(effect, Surprise):
                    reward = effect.picks[effects.picked(rule, effect, self.facts)].reward
                    gifts.issues += [reward] if reward else []
            if len(gifts.issues) + len(gifts.tiers) + len(gifts.messages) > before:
                gifts.rules.add(rule.name)
        return gifts

    def _uses(self, amount: int, gifts: _Gifts) -> dict[str, int]:
        """Return what each rule with limits gave; what the cap cut off is taken from the last parts."""
        limited = {rule.name for rule in self.holding if rule.limit}
        uses = dict.fromkeys(sorted(limited & gifts.rules), 0)
        for part in self.parts:
            given = min(part.amount, amount)
            amount -= given
            if given and part.rule in limited:
                uses[part.rule] = uses.get(part.rule, 0) + given
        return uses

    def _reason(self, amount: int, total: int, gifts: _Gifts) -> tuple[str, dict[str, object]]:
        if amount < total:
            return "capped", {"most": amount, "earned": total}
        cuts = [why for _lost, why in sorted(self.cuts, key=lambda cut: -cut[0])]
        if amount:
            return cuts[0].told() if cuts else ("", {})
        counting = [rule for rule in self.heard if rule.counts]
        if not counting and gifts.rules:
            return "", {}
        near = [*cuts, *self._short(), *self.near]
        asked = [why for why in near if why.rule in counting] or near
        if not asked:
            return "" if gifts.rules else "no_rule", {}
        return min(asked, key=lambda why: why.rank).told()

    def _short(self) -> Iterable[_Why]:
        """Give why rules whose conditions hold gave nothing: a limit, or too little for one step."""
        for rule in self.holding:
            if blocked := self.blocked[rule.name]:
                yield _Why((3, 0), rule, blocked)
            elif miss := effects.shortage(rule, self.facts):
                yield _Why((1, miss.values.get("missing_cents", 0)), rule, miss)
