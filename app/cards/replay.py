"""A draft of a program over past purchases, in memory: what each would earn, fill and bring; nothing is written."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from app.cards import rules
from app.cards.past import Bought
from app.cards.rules import Facts, Outcome, Plan, Used


@dataclass(frozen=True)
class Draft:
    """What a version of a program says: its plan, and for a stamp card what fills it and what a full card gives."""

    kind: str
    plan: Plan
    size: int | None = None
    reward: str | None = None  # slug

    @property
    def full_at(self) -> int | None:
        """Return the balance at which the count begins anew."""
        return self.size or (self.plan.thresholds[-1].at if self.plan.repeats else None)

    @property
    def shares_limits(self) -> bool:
        """Tell whether members take something from one another: "the first N" and budgets go by the order of time."""
        return any(rule.limit and (rule.limit.first_n or rule.limit.budget) for rule in self.plan.rules)

    @property
    def rewards(self) -> frozenset[str]:
        """Return the short names of all rewards that it may give."""
        return rules.rewards_of(self.plan) | ({self.reward} if self.reward else set())


@dataclass
class Lot:
    """What one purchase earned, until it is used or over; it waits while `release_at` is said."""

    amount: int
    expires_at: datetime | None
    release_at: datetime | None


@dataclass
class Hand:
    """What one member has in memory: lots, and what thresholds and limits look at."""

    lots: list[Lot] = field(default_factory=list)
    round: int = 0  # how often the count has begun anew
    had: set[tuple[int, int]] = field(default_factory=set)  # thresholds, each with its round
    visited: set[tuple[str, date]] = field(default_factory=set)
    bought: bool = False
    spent: dict[str, tuple[datetime, int]] = field(default_factory=dict)  # period → its start, cents
    uses: defaultdict[str, list[date]] = field(default_factory=lambda: defaultdict(list))
    units: int = 0
    rewards: Counter[str] = field(default_factory=Counter)

    @property
    def balance(self) -> int:
        """Return what may be used."""
        return sum(lot.amount for lot in self.lots if lot.release_at is None)


@dataclass
class Tally:
    """What a replay has given so far."""

    awards: int = 0
    units: int = 0
    expired: int = 0
    times: Counter[str] = field(default_factory=Counter)  # rule → awards
    given: Counter[str] = field(default_factory=Counter)  # rule → units
    zeros: Counter[str] = field(default_factory=Counter)  # reason → awards of nothing
    rewards: Counter[str] = field(default_factory=Counter)  # slug → how many


class Replay:
    """One draft over the purchases that it is shown, each member's in the order of time. Everybody begins with nothing.

    Args:
        known: the rewards that there are; a name that is gone gives nothing.
    """

    def __init__(self, draft: Draft, known: Iterable[str]) -> None:
        self.draft, self.known = draft, frozenset(known)
        self.tally = Tally()
        self.periods = rules.ladder_periods(draft.plan)
        self.limited = [rule.name for rule in draft.plan.rules if rule.limit is not None]
        self.shared: Counter[str] = Counter()  # rule → how often it counted for anybody
        self.shared_units: Counter[str] = Counter()

    def see(self, hand: Hand, bought: Bought) -> None:
        """Let a purchase pass that lies before the period: it counts as spent and as a first one only."""
        hand.bought |= bought.due_cents > 0
        for period in self.periods:
            start = rules.period_start(bought.at, period)
            known, cents = hand.spent.get(period, (start, 0))
            hand.spent[period] = (start, (cents if known == start else 0) + bought.due_cents)

    def buy(self, hand: Hand, bought: Bought) -> None:
        """Earn by a purchase."""
        self.settle(hand, bought.at)
        outcome = rules.evaluate(self.draft.plan, self._facts(hand, bought))
        self._count(hand, bought, outcome)
        before = hand.balance
        terms = self.draft.plan
        if outcome.amount:
            self._add(hand, outcome.amount, bought.at)
        after = before if terms.release else before + outcome.amount
        self._give(hand, outcome.issues)
        self._cross(hand, before, after)
        if outcome.amount:
            self._fill(hand)
        self.see(hand, bought)

    def settle(self, hand: Hand, at: datetime) -> None:
        """Release and end what is due until a moment."""
        left = []
        for lot in hand.lots:
            if lot.release_at and lot.release_at <= at and (not lot.expires_at or lot.release_at < lot.expires_at):
                lot.release_at = None
            if lot.expires_at and lot.expires_at <= at:
                self.tally.expired += lot.amount
            else:
                left.append(lot)
        hand.lots = left

    def _add(self, hand: Hand, amount: int, at: datetime) -> None:
        months, release = self.draft.plan.expires_after_months, self.draft.plan.release
        expires_at = rules.expiry(at, months) if months is not None else None
        release_at = rules.release_at(at, release) if release else None
        last = hand.lots[-1] if hand.lots else None
        if last and (last.expires_at, last.release_at) == (expires_at, release_at):
            last.amount += amount
        else:
            hand.lots.append(Lot(amount, expires_at, release_at))

    def _facts(self, hand: Hand, bought: Bought) -> Facts:
        day, place = bought.at.date(), bought.place
        return Facts(
            kind=self.draft.kind, trigger="purchase", at=bought.at, due_cents=bought.due_cents, lines=bought.lines,
            outlet=place.outlet, reseller=place.reseller, chain=place.chain, channel=place.channel,
            member_kind=bought.member_kind, tier=bought.tier, first_purchase=not hand.bought,
            birthday_month=bought.birth_month == bought.at.month,
            period_cents={period: self._spent(hand, period, bought.at) for period in self.periods},
            visited_today=(place.outlet, day) in hand.visited,
            used={rule: self._used(hand, rule, day) for rule in self.limited}, seed=bought.seed,
        )  # fmt: skip

    @staticmethod
    def _spent(hand: Hand, period: str, at: datetime) -> int:
        start, cents = hand.spent.get(period, (at, 0))
        return cents if start == rules.period_start(at, period) else 0

    def _used(self, hand: Hand, rule: str, day: date) -> Used:
        days, monday = hand.uses[rule], day - timedelta(days=day.weekday())
        return Used(
            member_day=days.count(day),
            member_week=sum(monday <= one < monday + timedelta(days=7) for one in days),
            member_month=sum((one.year, one.month) == (day.year, day.month) for one in days),
            member_ever=len(days),
            everybody=self.shared[rule],
            awarded=self.shared_units[rule],
        )

    def _count(self, hand: Hand, bought: Bought, outcome: Outcome) -> None:
        tally, left = self.tally, outcome.amount
        hand.units += outcome.amount
        tally.units += outcome.amount
        if outcome.amount:
            tally.awards += 1
            hand.visited.add((bought.place.outlet, bought.at.date()))
        elif outcome.reason:
            tally.zeros[outcome.reason] += 1
        counted = set()
        for part in outcome.parts:  # what a cap cuts off is taken from the last ones
            given = min(part.amount, left)
            left -= given
            if given:
                tally.given[part.rule] += given
                counted.add(part.rule)
        tally.times.update(counted)
        for rule, units in outcome.uses.items():
            hand.uses[rule].append(bought.at.date())
            self.shared[rule] += 1
            self.shared_units[rule] += units

    def _give(self, hand: Hand, slugs: Iterable[str]) -> None:
        found = [slug for slug in slugs if slug in self.known]
        hand.rewards.update(found)
        self.tally.rewards.update(found)

    def _cross(self, hand: Hand, before: int, after: int) -> None:
        """Give what thresholds below the end of a round give, each once a round, as `planning` does."""
        plan, full_at = self.draft.plan, self.draft.full_at
        steps = plan.thresholds[:-1] if plan.repeats else plan.thresholds
        number, low, high = hand.round, before, after
        while steps and low < high:
            for step in steps:
                if low < step.at <= high and (step.at, number) not in hand.had:
                    hand.had.add((step.at, number))
                    self._give(hand, [step.reward])
            if not full_at or high < full_at:
                break
            low, high, number = 0, high - full_at, number + 1

    def _fill(self, hand: Hand) -> None:
        """Empty a full card as often as it is full; the lots that end first go first."""
        full_at = self.draft.full_at
        count = rules.fills(hand.balance, full_at) if full_at else 0
        if not full_at or not count:
            return
        reward = self.draft.reward or self.draft.plan.thresholds[-1].reward
        self._give(hand, [reward] * count)
        hand.round += count
        taken = count * full_at
        ready = [lot for lot in hand.lots if lot.release_at is None]
        for lot in sorted(ready, key=lambda lot: (lot.expires_at is None, lot.expires_at or 0)):
            part = min(lot.amount, taken)
            lot.amount -= part
            taken -= part
        hand.lots = [lot for lot in hand.lots if lot.amount]
