"""A draft of a program over past purchases without booking: what it gives, what it costs, what pays for it.

Everybody begins with nothing on the first day, in the draft as in the version in force, so that the two can be
compared. What was paid then is what earns: coupons that members would have had instead are not used again. What is
left over of bonus, and every coupon, counts as used: the cost is what the brand must be ready to pay.

Source: earning.md, "Programs".
"""

import heapq
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import rules
from app.cards.past import Bought, Past, Reading
from app.cards.replay import Draft, Hand, Replay
from app.cards.simulated import Changes, MemberChange, RewardSum, RuleSum, Simulation, Sums
from app.cards.versions import FIRST
from app.core import clock
from app.core.errors import Invalid
from app.core.i18n import gettext as _
from app.core.money import half_up, share
from app.members.models import Member
from app.network.service import zone as brand_zone
from app.rewards.models import Reward
from app.rewards.rules import AMOUNT, PERCENT

REPLAYED = ("stamp_card", "bonus", "points", "visits", "cash_back")  # kinds that earn by purchases
TRIGGERS = ("purchase", "first_purchase", "visit")
STEP = 500  # purchases, less than a second of them
LARGEST = 5  # differences that are named
LONGEST = timedelta(days=732)  # a period


@dataclass(frozen=True)
class Question:
    """What is asked: a draft, the version in force beside it, local days, both included, and the gross margin.

    `current` is None where the program is new.
    """

    draft: Draft
    current: Draft | None
    first: date
    last: date
    margin_bp: int


class NothingToSimulate(Invalid):
    """Programs of this kind earn nothing by purchases."""

    code = "nothing_to_simulate"


class PeriodInvalid(Invalid):
    """The days of a simulation are in the wrong order, or there are too many of them."""

    code = "period_invalid"


class MarginInvalid(Invalid):
    """A gross margin lies above 0 and is at most 100 percent."""

    code = "margin_invalid"


@dataclass
class _Difference:
    """Counts members whose replay has ended, and keeps those that differ most."""

    more: int = 0
    same: int = 0
    less: int = 0
    largest: list[tuple[int, int, int, tuple[int, int, int, int]]] = field(default_factory=list)

    def add(self, owner: int, units: tuple[int, int], face: tuple[int, int]) -> None:
        step = (face[0] - face[1], units[0] - units[1])
        self.more += step > (0, 0)
        self.less += step < (0, 0)
        self.same += step == (0, 0)
        if step != (0, 0):
            entry = (abs(step[0]), abs(step[1]), -owner, (*units, *face))
            keep = heapq.heappush if len(self.largest) < LARGEST else heapq.heappushpop
            keep(self.largest, entry)


class _Run:
    """One simulation: replays side by side, each member's purchases through all of them."""

    def __init__(self, replays: list[Replay], faces: dict[str, int], begins: datetime, ends: datetime) -> None:
        self.replays, self.faces, self.begins, self.ends = replays, faces, begins, ends
        self.hands: dict[int, list[Hand]] = {}
        self.active: set[int] = set()
        self.purchases = self.members = self.sales = 0
        self.difference = _Difference()

    def play(self, bought: Bought) -> None:
        hands = self.hands.setdefault(bought.owner, [Hand() for _replay in self.replays])
        earns = bought.at >= self.begins
        for replay, hand in zip(self.replays, hands, strict=True):
            (replay.buy if earns else replay.see)(hand, bought)
        if earns:
            self.active.add(bought.owner)
            self.purchases += 1
            self.sales += bought.total_cents

    def close(self) -> None:
        """End the members that are open: their hands are forgotten."""
        for owner, hands in self.hands.items():
            for replay, hand in zip(self.replays, hands, strict=True):
                replay.settle(hand, self.ends)
            if owner in self.active and len(hands) == 2:
                new, old = hands
                self.difference.add(owner, (new.units, old.units), (self._face(new), self._face(old)))
        self.members += len(self.active)
        self.hands, self.active = {}, set()

    def _face(self, hand: Hand) -> int:
        return sum(self.faces[slug] * count for slug, count in hand.rewards.items())


class Simulating:
    """A simulation that goes on step by step, so that whoever runs it can say how far it is.

    Args:
        reading: opens a session for each page, and one at the end.
        by_time: in the order of time, with every member in memory; else member by member, where rules allow that.

    Raises:
        NothingToSimulate, PeriodInvalid, MarginInvalid: as `check` says.
    """

    def __init__(self, reading: Reading, asked: Question, *, by_time: bool = False) -> None:
        check(asked)
        self.reading, self.asked = reading, asked
        drafts = [one for one in (asked.draft, asked.current) if one is not None]
        self.by_time = by_time or any(one.shares_limits for one in drafts)
        with reading() as session:
            zone = brand_zone(session)
            self.rewards = {reward.slug: reward for reward in session.scalars(select(Reward))}
        begins = clock.midnight(asked.first, zone)
        ends = clock.midnight(asked.last + timedelta(days=1), zone)
        self.past = Past(
            reading, zone, _since(drafts, begins), ends.astimezone(UTC), _asks_lines(drafts), _asks_tiers(drafts)
        )
        faces = {slug: reward.face_cents for slug, reward in self.rewards.items()}
        self.run = _Run([Replay(one, self.rewards) for one in drafts], faces, begins, ends)

    def steps(self) -> Iterator[int]:
        """Look at all purchases; give how many were looked at after every so many of them."""
        for number, bought in enumerate(self.past.by_time() if self.by_time else self.past.by_member(), 1):
            if not self.by_time and bought.owner not in self.run.hands:
                self.run.close()
            self.run.play(bought)
            if number % STEP == 0:
                yield number
        self.run.close()

    def result(self) -> Simulation:
        """Return what was found, after the last step."""
        run, asked = self.run, self.asked
        average = half_up(run.sales, run.purchases) if run.purchases else 0
        sums = [_sums(replay, self.rewards, average) for replay in run.replays]
        changes = None
        if asked.current is not None:
            with self.reading() as session:
                changes = _changes(session, run.difference)
        return Simulation(
            asked.first, asked.last, run.purchases, run.members, run.sales, asked.margin_bp, sums[0],
            sums[1] if asked.current else None, changes,
        )  # fmt: skip


def simulate(session: Session, asked: Question, *, by_time: bool = False) -> Simulation:
    """Run a draft, and the version in force beside it, over a period's purchases at once; writes nothing.

    Raises:
        NothingToSimulate, PeriodInvalid, MarginInvalid: as `check` says.
    """
    simulating = Simulating(lambda: nullcontext(session), asked, by_time=by_time)
    for _step in simulating.steps():
        pass
    return simulating.result()


def check(asked: Question) -> None:
    """Check what is asked for.

    Raises:
        NothingToSimulate: of this kind nothing is earned by purchases.
        PeriodInvalid, MarginInvalid: the numbers make no sense.
    """
    if asked.draft.kind not in REPLAYED:
        raise NothingToSimulate(_("Nothing is earned by purchases here, so there is nothing to simulate."))
    if not asked.first <= asked.last or asked.last - asked.first > LONGEST:
        raise PeriodInvalid(_("Choose a first and a last day, two years apart at most."))
    if not 0 < asked.margin_bp <= 10_000:
        raise MarginInvalid(_("The margin lies above 0 and is at most 100 percent."))


def _since(drafts: list[Draft], begins: datetime) -> datetime:
    """Return from when on purchases must be known: a ladder looks at its period, a first purchase at everything."""
    if any(rule.on == "first_purchase" for one in drafts for rule in one.plan.rules):
        return FIRST
    periods = {period for one in drafts for period in rules.ladder_periods(one.plan)}
    return min([begins, *(rules.period_start(begins, period) for period in periods)]).astimezone(UTC)


def _asks_lines(drafts: list[Draft]) -> bool:
    plans = [one.plan for one in drafts]
    return any(
        rule.when.lines is not None or any(effect.do == "per_item" for effect in rule.then)
        for plan in plans
        for rule in plan.rules
    )


def _asks_tiers(drafts: list[Draft]) -> bool:
    return any(rule.when.tiers is not None for one in drafts for rule in one.plan.rules)


def _sums(replay: Replay, rewards: dict[str, Reward], average: int) -> Sums:
    tally, draft = replay.tally, replay.draft
    return Sums(
        awards=tally.awards,
        units=tally.units,
        expired=tally.expired,
        bonus_cents=tally.units - tally.expired if draft.kind == "bonus" else 0,
        rules=tuple(
            RuleSum(rule.name, tally.times[rule.name], tally.given[rule.name])
            for rule in draft.plan.rules
            if rule.on in TRIGGERS
        ),
        zeros=tuple(sorted(tally.zeros.items(), key=lambda pair: (-pair[1], pair[0]))),
        rewards=tuple(_reward(rewards[slug], count, average) for slug, count in sorted(tally.rewards.items())),
        not_replayed=tuple(rule.name for rule in draft.plan.rules if rule.on not in TRIGGERS),
    )


def _reward(reward: Reward, count: int, average: int) -> RewardSum:
    """Return what some of a reward cost: those that settle at what the outlet gave, at their face value."""
    worth = reward.face_cents
    if reward.kind == PERCENT:
        worth = share(average, reward.percent_bp or 0)
        worth = min(worth, reward.cap_cents) if reward.cap_cents else worth
    settled = worth if reward.kind in (PERCENT, AMOUNT, "gift_card") else reward.settlement_cents
    return RewardSum(reward, count, worth * count, settled * count, reward.fee_cents * count, reward.kind == PERCENT)


def _changes(session: Session, found: _Difference) -> Changes:
    largest = []
    for _face, _units, owner, values in sorted(found.largest, reverse=True):
        units, units_before, face, face_before = values
        largest.append(MemberChange(session.get_one(Member, -owner), units, units_before, face, face_before))
    return Changes(found.more, found.same, found.less, tuple(largest))
