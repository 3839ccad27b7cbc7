"""The brand that lives are lived in: its programs, and the services as a life calls them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from app.cards import expiry, merge, refunds, service
from app.cards.models import ProgramVersion
from app.cards.service import PurchaseResult, Wishes
from app.core import clock
from app.core.crypto import random_symbols
from app.core.db import Database, keyring
from app.ledger import service as ledger
from app.ledger.models import Account, Lot, Purchase
from app.ledger.service import Basket, Line
from app.members.models import Member
from app.network.models import Till
from app.rewards import service as rewards
from app.rewards.gift_cards import expire_gift_cards
from app.rewards.models import Coupon, GiftCard, Redemption, Reward
from tests.builders import a_brand, a_member, a_newcomer, a_till, an_outlet
from tests.cards.kinds import a_plan
from tests.cards.life_model import PURSES, THRESHOLDS, Sale, Version, moment
from tests.cards.life_serial import PLAN, SLUG
from tests.cards.life_things import LIVES, WORTH
from tests.ledger.card import DAY_0
from tests.shop import a_reward

KINDS = {
    "stamps": "stamp_card", "bonus": "bonus", "points": "points", "visits": "visits", "season": "bonus",
    SLUG: "serial_card",
}  # fmt: skip
Shown = tuple[dict[tuple[int, str], tuple[int, int]], dict[tuple[int, str], list[tuple[int, int | None, bool]]]]


class Crash(Exception):
    """What ends a unit in the middle."""


def plan(program: str, version: Version) -> dict[str, object]:
    """Return a version's rules."""
    if program == SLUG:
        return PLAN
    per_euro = {"do": "per_amount", "cents": 100}
    then = {
        "stamps": {"do": "per_amount", "cents": version.step}, "points": per_euro,
        "visits": {"do": "award", "n": 1, "base": True},
    }.get(program, {"do": "percent", "bp": version.bp})  # fmt: skip
    rules: dict[str, object] = {"rules": [{"name": "rule", "then": [then]}]}
    if program in PURSES:
        rules["expires_after_months"] = version.months
    if version.release:
        rules["release"] = {"months": version.release}
    if program == "points":
        rules["thresholds"] = [{"at": at, "reward": f"at-{at}"} for at in THRESHOLDS]
    return rules


def size(program: str, version: Version) -> int | None:
    """Return how many units fill a program's card."""
    return version.size if program == "stamps" else None


class Brand:
    """A brand of its own on a database that others share; members, sales and coupons have the model's numbers."""

    def __init__(self, database: Database, slug: str, versions: dict[str, list[Version]]) -> None:
        self.database = database
        self.brand_id = a_brand(database, slug)
        self.purchases: list[int] = []
        self.redemptions: dict[int, str] = {}  # the newest of each coupon
        with self.unit() as session:
            self.programs = {
                name: a_plan(session, KINDS[name], plan(name, known[0]), slug=name, size=size(name, known[0])).id
                for name, known in versions.items()
            }
            self.members = [a_member(session).id]
            self.gift = a_reward(session, "gift", kind="gift_card", face_cents=WORTH, valid_days=LIVES).id
            self.tills = [a_till(session, outlet=an_outlet(session)).id for _outlet in range(2)]

    @contextmanager
    def unit(self, *, fails_after: int | None = None) -> Iterator[Session]:
        """Open a unit; one that fails does so at a statement, or at its end where it has fewer."""
        left = [fails_after or 0]

        def count(*_said: object) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Crash

        if fails_after is None:
            with self.database.unit(self.brand_id) as session:
                yield session
            return
        with self.database.unit(self.brand_id) as session:
            session.connection()
            event.listen(self.database.engine, "before_cursor_execute", count)
            try:
                yield session
                raise Crash
            finally:
                event.remove(self.database.engine, "before_cursor_execute", count)

    def change(self, session: Session, program: str, version: Version) -> None:
        """Write a new version that holds from now on."""
        mine = select(ProgramVersion).where(ProgramVersion.program_id == self.programs[program])
        newest = session.scalars(mine.order_by(ProgramVersion.number.desc())).first()
        assert newest is not None
        rules = service.rules.parse(KINDS[program], plan(program, version)).to_json()
        session.add(
            ProgramVersion(
                program_id=newest.program_id, number=newest.number + 1, valid_from=moment(version.since),
                size=size(program, version), reward_id=newest.reward_id, rule=rules,
            )
        )  # fmt: skip

    def join(self, session: Session) -> int:
        """Let somebody join; return who."""
        return a_newcomer(session, f"{random_symbols(10).lower()}@example.com").member.id

    def give_gift_card(self, session: Session, member: int) -> None:
        """Give a member a gift card."""
        rewards.give(
            session, member_id=self.members[member], reward=session.get_one(Reward, self.gift), source_kind="welcome",
            source_id=len(self.gift_cards()) + 1, at=clock.now(),
        )  # fmt: skip

    def codes(self, session: Session, gifts: dict[int, int | None]) -> dict[str, int | None]:
        """Return the codes of gift cards by their numbers."""
        cards = session.scalars(select(GiftCard).order_by(GiftCard.id)).all()
        return {keyring(session).text(cards[number].code): cents for number, cents in gifts.items()}

    def buy(
        self, session: Session, sale: Sale, receipt: str = "", gifts: dict[int, int | None] | None = None
    ) -> PurchaseResult:
        """Quote a sale, and book it as it was quoted."""
        line = Line("sku", "group", sale.quantity, sale.price)
        basket = Basket(line.amount_cents, receipt or random_symbols(10), moment(sale.at), lines=(line,))
        member = session.get_one(Member, self.members[sale.member])
        till = session.get_one(Till, self.tills[sale.outlet])
        spend = {sale.purse: sale.spent} if sale.spent else {}
        wishes = Wishes(spend, gift_cards=self.codes(session, gifts or {}))
        who = ledger.hold_member(session, member.id)
        quoted = service.quote(session, basket, member_id=who, till=till, wishes=wishes)
        booked = service.record_purchase(session, basket, member=member, till=till, wishes=wishes)
        assert quoted.awards == booked.awards
        return booked

    def receipt(self, session: Session, number: int) -> str:
        """Return the receipt of a sale."""
        return session.get_one(Purchase, self.purchases[number]).receipt

    def refund(self, session: Session, number: int, quantity: int | None) -> refunds.RefundResult:
        """Take goods of a sale back; all that is left without a quantity."""
        bought = session.get_one(Purchase, self.purchases[number])
        till = session.get_one(Till, bought.till_id)
        return refunds.refund(session, bought, till=till, lines=None if quantity is None else {1: quantity})

    def merge(self, session: Session, newcomer: int, into: int) -> None:
        """Merge two members."""
        source, target = (session.get_one(Member, self.members[one]) for one in (newcomer, into))
        merge.absorb(session, source, into=target)

    def redeem(self, session: Session, number: int, outlet: int, sale: int | None) -> str:
        """Use a coupon; return the redemption."""
        coupon = session.scalars(select(Coupon).order_by(Coupon.id).offset(number).limit(1)).one()
        view = next(view for view in rewards.of_member(session, coupon.member_id) if view.coupon.id == coupon.id)
        basket = None if sale is None else self.purchases[sale]
        till = session.get_one(Till, self.tills[outlet])
        return rewards.redeem(session, view.code, till=till, purchase_id=basket).public_id

    def reverse(self, session: Session, number: int) -> bool:
        """Take the newest use of a coupon back; return whether it was taken back before."""
        public_id = self.redemptions[number]
        used = session.scalars(select(Redemption).where(Redemption.public_id == public_id)).one()
        return rewards.reverse(session, public_id, till=session.get_one(Till, used.till_id)).repeated

    def run_jobs(self, session: Session) -> None:
        """Do what the jobs do in a brand."""
        for settle in (expiry.release_due, expiry.expire_due, rewards.expire_due, expire_gift_cards):
            settle(session, now=clock.now())

    def shown(self) -> Shown:
        """Return balance and pending, and each lot with its minute of expiry, by member and program."""
        names = {number: name for name, number in self.programs.items()}
        with self.database.reading(self.brand_id) as session:
            rows = session.scalars(select(Account)).all()
            key = {row.id: (self.members.index(row.member_id), names[row.program_id]) for row in rows}
            lots: dict[tuple[int, str], list[tuple[int, int | None, bool]]] = {one: [] for one in key.values()}
            open_lots = select(Lot).where(Lot.remaining > 0)
            in_order = sorted(session.scalars(open_lots), key=lambda lot: (lot.expires_at or LAST, lot.id))
            for lot in in_order:
                lots[key[lot.account_id]].append((lot.remaining, minute(lot.expires_at), lot.pending))
            return {key[row.id]: (row.balance, row.pending) for row in rows}, lots

    minute = staticmethod(lambda at: minute(at))

    def gift_cards(self) -> list[tuple[int, int, str, int | None]]:
        """Return whose each gift card is, what is on it, its state and its end, in the order of their issue."""
        with self.database.reading(self.brand_id) as session:
            rows = session.scalars(select(GiftCard).order_by(GiftCard.id)).all()
            return [
                (self.members.index(row.member_id or 0), row.balance_cents, row.state, minute(row.expires_at))
                for row in rows
            ]

    def coupons(self) -> list[tuple[int, str]]:
        """Return whose each coupon is and its state, in the order of their issue."""
        with self.database.reading(self.brand_id) as session:
            rows = session.execute(select(Coupon.member_id, Coupon.state).order_by(Coupon.id))
            return [(self.members.index(member_id), state) for member_id, state in rows]


LAST = datetime.max.replace(tzinfo=DAY_0.tzinfo)


def minute(at: datetime | None) -> int | None:
    """Return a moment as the model has it; a running clock's seconds do not count."""
    return None if at is None else (at - DAY_0) // (moment(1) - DAY_0)
