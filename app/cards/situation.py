"""What the rules of a program look at beside the basket: read once for a sale, and only where a rule asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.cards import tiers, uses
from app.cards.programs import ProgramInForce
from app.cards.rules import Facts, Line, asks_for_tiers, ladder_periods, needs_seed, period_start
from app.core.db import brand_of, keyring
from app.core.sql import Sql

_PLACE = Sql(
    "SELECT b.zone, o.slug AS outlet, o.kind AS channel, r.slug AS reseller, COALESCE(c.slug, d.slug) AS chain, "
    "m.kind, m.birth_month FROM outlet o "
    "JOIN brand b ON b.id = o.brand_id "
    "JOIN reseller r ON r.brand_id = o.brand_id AND r.id = o.reseller_id "
    "LEFT JOIN chain c ON c.brand_id = o.brand_id AND c.id = o.chain_id "
    "LEFT JOIN chain d ON d.brand_id = r.brand_id AND d.id = r.chain_id "
    "LEFT JOIN member m ON m.brand_id = o.brand_id AND m.id = :member_id "
    "WHERE o.brand_id = :brand_id AND o.id = :outlet_id"
)
_PERSON = Sql(
    "SELECT b.zone, m.kind, m.birth_month FROM brand b LEFT JOIN member m ON m.brand_id = b.id AND m.id = :member_id "
    "WHERE b.id = :brand_id"
)
_FAMILY = "SELECT :member_id UNION ALL SELECT id FROM member WHERE brand_id = :brand_id AND merged_into_id = :member_id"


def of_family(words: str) -> Sql:
    """Return a statement in which `{of_family}` says whose a row is.

    A purchase keeps the member who made it, also when that member became another one: those who did are asked too.
    PostgreSQL reads an ARRAY once. IN it joins, and where it has not counted a table yet (a brand's first day, or
    autovacuum is off) that asked for the family again for each of the day's purchases: 150 ms of 5,500.
    """
    return Sql(
        words.replace("{of_family}", f"IN ({_FAMILY})"),
        postgresql=words.replace("{of_family}", f"= ANY (ARRAY({_FAMILY}))"),
    )


# What came back whole was no purchase, unless a reward that it brought was used and so stands.
_BOUGHT = (
    "SELECT 1 FROM purchase p WHERE p.brand_id = :brand_id AND p.member_id {of_family} AND p.due_cents > 0 "
    "AND (NOT EXISTS (SELECT 1 FROM refund r WHERE r.brand_id = p.brand_id AND r.purchase_id = p.id AND r.whole) "
    "OR EXISTS (SELECT 1 FROM reward_issue i JOIN coupon c ON c.brand_id = i.brand_id AND c.source_kind = 'issue' "
    "AND c.source_id = i.id WHERE i.brand_id = p.brand_id AND i.purchase_id = p.id AND c.state = 'redeemed')) LIMIT 1"
)
_NEWEST = "SELECT COALESCE(MAX(id), 0) FROM purchase WHERE brand_id = :brand_id AND member_id {of_family}"
_VISITED = (
    "SELECT 1 FROM purchase p JOIN award a ON a.brand_id = p.brand_id AND a.purchase_id = p.id "
    "WHERE p.brand_id = :brand_id AND p.member_id {of_family} AND p.outlet_id = :outlet_id "
    "AND p.local_date = :day AND a.program_id = :program_id AND a.amount > 0 AND NOT EXISTS (SELECT 1 FROM refund r "
    "WHERE r.brand_id = p.brand_id AND r.purchase_id = p.id AND r.whole) LIMIT 1"
)
_SPENT = (
    "SELECT COALESCE(sum(p.due_cents), 0) - COALESCE(sum((SELECT sum(r.paid_cents) FROM refund r "
    "WHERE r.brand_id = p.brand_id AND r.purchase_id = p.id)), 0) FROM purchase p WHERE p.brand_id = :brand_id "
    "AND p.member_id {of_family} AND p.occurred_at >= :since AND p.occurred_at < :until"
)
_HAS_BOUGHT = of_family(_BOUGHT)
_LAST_BOUGHT = of_family(_NEWEST)
_HAS_VISITED = of_family(_VISITED)
_HAS_SPENT = of_family(_SPENT)


@dataclass(frozen=True)
class Situation:
    """Who buys where and when; `at` is local. What only some rules look at is read when a program's facts are made."""

    session: Session
    member_id: int
    outlet_id: int
    at: datetime
    outlet: str
    reseller: str
    chain: str
    channel: str
    member_kind: str
    birth_month: int | None
    lock: bool

    @property
    def day(self) -> date:
        """Return the day of the event in the brand's zone."""
        return self.at.date()

    def facts(
        self,
        program: ProgramInForce,
        *,
        due_cents: int = 0,
        lines: Sequence[Line] = (),
        trigger: str = "purchase",
        rule: str = "",
    ) -> Facts:
        """Return what a program's rules see of this sale, or of what else happened; `rule` asks only that one."""
        plan = program.plan
        asks = {rule.on for rule in plan.rules}
        return Facts(
            kind=program.kind,
            trigger=trigger,
            rule=rule,
            due_cents=due_cents,
            lines=tuple(lines),
            at=self.at,
            outlet=self.outlet,
            reseller=self.reseller,
            chain=self.chain,
            channel=self.channel,
            member_kind=self.member_kind,
            tier=tiers.tier_at(self.session, self.member_id, self.at, program) if asks_for_tiers(plan) else "",
            first_purchase="first_purchase" in asks and not self._any(_HAS_BOUGHT),
            birthday_month=self.birth_month == self.at.month,
            period_cents={name: self._spent(period_start(self.at, name)) for name in ladder_periods(plan)},
            visited_today=program.kind == "visits" and self._any(_HAS_VISITED, program_id=program.id, day=self.day),
            used=uses.read(
                self.session, plan.rules, program_id=program.id, member_id=self.member_id, day=self.day, lock=self.lock
            ),
            seed=self._seed(f"{program.id} {trigger} {rule}") if needs_seed(plan) else "",
        )

    def _seed(self, what: str) -> str:
        """Return what a surprise is drawn with: nobody can know it before, and asking again draws nothing else.

        So a quote says what the purchase then books. A member's next purchase draws anew.
        """
        ((last,),) = _LAST_BOUGHT.run(self.session, {"brand_id": brand_of(self.session), "member_id": self.member_id})
        return keyring(self.session).lookup("surprise", f"{what} {self.member_id} {self.day} {last}")[:32]

    def _any(self, statement: Sql, **values: object) -> bool:
        keys = {"brand_id": brand_of(self.session), "member_id": self.member_id, "outlet_id": self.outlet_id}
        return bool(statement.run(self.session, {**keys, **values}))

    def _spent(self, since: datetime) -> int:
        values = {"brand_id": brand_of(self.session), "member_id": self.member_id, "since": since, "until": self.at}
        ((cents,),) = _HAS_SPENT.run(self.session, values)
        return int(cents)


def situation(session: Session, *, member_id: int, outlet_id: int, at: datetime, lock: bool) -> Situation:
    """Read who buys where.

    Args:
        at: the moment of the sale; it is told in the brand's zone.
        lock: whether what is counted must stay as it is until this unit ends; a quote locks nothing.
    """
    keys = {"brand_id": brand_of(session), "member_id": member_id, "outlet_id": outlet_id}
    (row,) = _PLACE.run(session, keys)
    return Situation(
        session, member_id, outlet_id, at.astimezone(ZoneInfo(row.zone)), row.outlet, row.reseller,
        row.chain or "",
        row.channel, row.kind or "person", row.birth_month, lock,
    )  # fmt: skip


def without_place(session: Session, *, member_id: int, at: datetime, lock: bool, channel: str = "") -> Situation:
    """Read whom something happened to that no outlet took part in: rules that ask for one do not count.

    Args:
        member_id: 0 for somebody who has not joined yet.
    """
    (row,) = _PERSON.run(session, {"brand_id": brand_of(session), "member_id": member_id})
    return Situation(
        session, member_id, 0, at.astimezone(ZoneInfo(row.zone)), "", "", "", channel, row.kind or "person",
        row.birth_month, lock,
    )  # fmt: skip
