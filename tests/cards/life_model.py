"""What members hold and what coupons they have, told in plain Python: every unit is a thing that is moved by hand.

Moments are minutes from `DAY_0`. See `tests.ledger.units` for what an account holds.
"""

from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.cards.life_things import GiftCard, GiftCards
from tests.ledger.card import DAY_0
from tests.ledger.units import DAY, Take, Units

ZONE = ZoneInfo("Europe/Helsinki")
GRACE, COUPON_GRACE, COUPON_LIVES = 30, 14, 60  # days
THRESHOLDS = (20, 45)  # points
PURSES = ("bonus", "season")  # programs whose units are cents to pay with; the second's wait for their season


@dataclass(frozen=True)
class Version:
    """How a program earns from a minute on; what its kind does not look at stays as it is."""

    since: int = -1_000_000
    step: int = 400  # cents for a stamp
    size: int = 5  # stamps that fill the card
    bp: int = 2000  # of bonus
    months: int = 0  # full months after the one of earning that bonus lives
    release: tuple[int, ...] = ()  # months on whose first what waits can be used


@dataclass(eq=False)
class Coupon:
    """A coupon; what filled the card for it, or the balance that was reached."""

    member: int
    program: str
    expires: int
    state: str = "issued"
    take: Take | None = None
    size: int = 0
    threshold: int = 0
    sale: "Sale | None" = None  # on whose basket it was used


@dataclass
class Award:
    """What a sale gave in a program: the entry that gave it, and what refunds have taken."""

    amount: int
    version: Version
    entry: int
    taken: int = 0


@dataclass(eq=False)
class Sale:
    """One line of some goods of one price, and what became of it."""

    member: int
    outlet: int
    at: int
    price: int
    quantity: int
    spent: int
    purse: str = "bonus"  # that it was spent from
    gifts: list[tuple[GiftCard, int]] = field(default_factory=list)  # cents of gift cards
    spend: Take | None = None
    awards: dict[str, Award] = field(default_factory=dict)
    gone: int = 0  # goods that came back

    @property
    def whole(self) -> bool:
        """Tell whether all came back."""
        return self.gone == self.quantity

    def back(self, cents: int) -> int:
        """Return what of an amount belongs to the goods that came back."""
        return cents * self.gone // self.quantity

    @property
    def due(self) -> int:
        """Return what was paid in money."""
        return self.price * self.quantity - self.spent - self.given

    @property
    def given(self) -> int:
        """Return what was paid with gift cards."""
        return sum(cents for _card, cents in self.gifts)


def moment(minute: int) -> datetime:
    """Return a minute as a moment."""
    return DAY_0 + timedelta(minutes=minute)


def month_end(at: int, months: int) -> int:
    """Return the minute at which what is earned now is over: local midnight after so many more months."""
    local = moment(at).astimezone(ZONE)
    count = local.year * 12 + local.month - 1 + months + 1
    return (datetime(count // 12, count % 12 + 1, 1, tzinfo=ZONE) - DAY_0) // timedelta(minutes=1)


def next_first(at: int, months: tuple[int, ...]) -> int | None:
    """Return the minute of the first of the next of some months; None without any."""
    local = moment(at).astimezone(ZONE)
    ahead = [number for number in range(1, 13) if (local.month + number - 1) % 12 + 1 in months]
    return month_end(at, ahead[0] - 1) if ahead else None


@dataclass
class Model(GiftCards):
    """A brand's members, their accounts by (member, program), coupons in the order of their issue, and sales."""

    versions: dict[str, list[Version]]
    members: list[int | None] = field(default_factory=lambda: [None])  # whom each was merged into
    coupons: list[Coupon] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)
    entries: int = 0

    def __post_init__(self) -> None:
        made = [0]
        self.accounts: defaultdict[tuple[int, str], Units] = defaultdict(lambda: Units(made=made))

    def who(self, member: int) -> int:
        """Return who a member is by now."""
        into = self.members[member]
        return member if into is None else into

    def living(self) -> list[int]:
        """Return the members that were not merged."""
        return [number for number, into in enumerate(self.members) if into is None]

    def version(self, program: str, at: int) -> Version:
        """Return the version of a moment."""
        return [version for version in self.versions[program] if version.since <= at][-1]

    def holds(self, member: int, program: str, at: int) -> int:
        """Return what can be spent at a moment."""
        later = deepcopy(self.accounts[member, program])
        later.end(at)
        return later.holds()[0]

    def run_jobs(self, now: int) -> None:
        """Release what waited until now, and let everything go that is over."""
        for account in self.accounts.values():
            account.ripen(now)
            account.end(now)
        self.end_gift_cards(now)
        for coupon in self.coupons:
            if coupon.state == "issued" and coupon.expires <= now:
                coupon.state = "expired"

    def buy(self, sale: Sale, now: int) -> None:
        """Let a member buy, and pay with bonus; a coupon is good for its days from when it is told."""
        member = sale.member = self.who(sale.member)
        for program in self.versions:
            self.accounts[member, program].end(sale.at)
        if sale.spent:
            sale.spend = self.accounts[member, sale.purse].take(sale.spent)
        self.use_gift_cards(sale.gifts)
        for program in self.versions:
            version, account = self.version(program, sale.at), self.accounts[member, program]
            amount = self.earned(program, version, sale.due, sale)
            self.entries += 1
            sale.awards[program] = Award(amount, version, self.entries)
            if not amount:
                continue
            before = account.holds()[0]
            over = month_end(sale.at, version.months) if program in PURSES else None
            release = next_first(sale.at, version.release)
            lot = account.lot(self.entries, over, pending=release is not None, release=release)
            account.arrive([lot] * amount)
            if program == "stamps":
                self.fill(member, sale.at, max(sale.at, now))
            elif program == "points":
                self.reach(member, before, before + amount, max(sale.at, now))
        self.sales.append(sale)

    moment, month_end = staticmethod(moment), staticmethod(month_end)

    @staticmethod
    def local_day(at: int) -> date:
        """Return the day of a minute by the brand's clocks."""
        return moment(at).astimezone(ZONE).date()

    def earned(self, program: str, version: Version, due: int, sale: Sale) -> int:
        """Return what some cents give."""
        if due <= 0:
            return 0
        if program == "visits":
            return int(not any(self.same_visit(sale, other) for other in self.sales))
        bonus = (due * version.bp + 5000) // 10_000  # half up
        return {"stamps": due // version.step, "points": due // 100}.get(program, bonus if program in PURSES else 0)

    def same_visit(self, sale: Sale, other: Sale) -> bool:
        """Tell whether an earlier sale was counted as this one's visit."""
        days = {moment(one.at).astimezone(ZONE).date() for one in (sale, other)}
        same = len(days) == 1 and sale.outlet == other.outlet and self.who(other.member) == self.who(sale.member)
        return same and other is not sale and other.awards["visits"].amount > 0 and not other.whole

    def fill(self, member: int, at: int, told: int | None = None) -> None:
        """Give a coupon for each full card."""
        account, size = self.accounts[member, "stamps"], self.version("stamps", at).size
        for _full in range(max(account.holds()[0], 0) // size):
            self.give(member, "stamps", at if told is None else told, take=account.take(size), size=size)

    def reach(self, member: int, before: int, after: int, at: int) -> None:
        """Give a coupon for each threshold that was passed, unless one stands."""
        had = {coupon.threshold for coupon in self.coupons if coupon.member == member and coupon.state != "revoked"}
        for threshold in THRESHOLDS:
            if before < threshold <= after and threshold not in had:
                self.give(member, "points", at, threshold=threshold)

    def give(self, member: int, program: str, at: int, **why: object) -> None:
        """Give a coupon."""
        coupon = Coupon(member, program, at + COUPON_LIVES * DAY)
        self.coupons.append(replace(coupon, **why))  # type: ignore[arg-type]

    def refund(self, sale: Sale, quantity: int, now: int) -> None:
        """Take goods back."""
        met, before, member = sale.spent + sale.given, sale.back(sale.spent + sale.given), self.who(sale.member)
        for program in self.versions:
            self.accounts[member, program].end(now)
        sale.gone += quantity
        self.entries += 1
        after = sale.back(met)
        spent = min(after, sale.spent) - min(before, sale.spent)  # bonus comes back first, then gift cards
        if sale.spend and spent:
            self.accounts[member, sale.purse].put_back(sale.spend, spent, self.entries, now=now, grace=GRACE)
        self.give_back(sale.gifts, max(before - sale.spent, 0), max(after - sale.spent, 0), now + COUPON_GRACE * DAY)
        for program, award in sale.awards.items():
            left = 0 if sale.whole else self.still(program, award, sale.due - sale.back(sale.due))
            ended = self.accounts[member, program].expired.get(award.entry, 0)  # unused: nobody's to give back
            amount = award.amount - award.taken - ended - min(left, award.amount)
            if amount > 0:
                award.taken += amount
                self.accounts[member, program].take(amount, award.entry)
                self.undo(member, program, now)
        for coupon in self.coupons:
            if sale.whole and coupon.sale is sale and coupon.state == "redeemed":
                coupon.state, coupon.expires = "issued", max(coupon.expires, now + COUPON_GRACE * DAY)

    def still(self, program: str, award: Award, due: int) -> int:
        """Return what the rest of a sale gives; a visit that counted still does."""
        if program == "visits":
            return int(due > 0 and award.amount > 0)
        return self.earned(program, award.version, due, self.sales[0])

    def undo(self, member: int, program: str, now: int) -> None:
        """Take coupons back that nobody has used: of the newest cards while stamps are owed, and of thresholds."""
        account = self.accounts[member, program]
        for coupon in reversed(self.coupons):
            if coupon.member != member or coupon.program != program or coupon.state not in ("issued", "expired"):
                continue
            if coupon.take and account.holds()[0] < 0:
                coupon.state = "revoked"
                self.entries += 1
                account.put_back(coupon.take, coupon.size, self.entries, now=now, grace=GRACE)
            elif coupon.threshold > account.holds()[0]:
                coupon.state = "revoked"

    def merge(self, newcomer: int, into: int, now: int) -> None:
        """Let a member become another one."""
        family = {number for number, old in enumerate(self.members) if newcomer in (number, old)}
        self.members = [into if number in family else old for number, old in enumerate(self.members)]
        for coupon in self.coupons:
            coupon.member = self.who(coupon.member)
        for card in self.gift_cards:
            card.member = self.who(card.member)
        for program in self.versions:
            source, target = self.accounts[newcomer, program], self.accounts[into, program]
            there, before = source.units or source.holds() != (0, 0), target.holds()[0]
            self.entries += 1
            source.hand_over(target, self.entries)  # also the word of what ended unused, where nothing else is there
            if there and program == "stamps":
                self.fill(into, now)
            elif there and program == "points":
                self.reach(into, before, target.holds()[0], now)
