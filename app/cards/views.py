"""What the phone, the till and the console show of a member: cards, coupons and the story of what happened."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import reasons
from app.cards.models import Award, Program, ProgramVersion
from app.cards.programs import ProgramInForce, in_force
from app.core import clock
from app.core.i18n import gettext as _
from app.core.i18n import pick
from app.ledger import service as ledger
from app.ledger.models import LedgerEntry, Purchase, Refund
from app.members.models import Member
from app.network.models import Outlet, Till
from app.rewards.models import Coupon, Redemption, Reward


@dataclass(frozen=True)
class Card:
    """One program as the member's card shows it. `owed` are stamps that the next ones pay back first."""

    program: ProgramInForce
    reward: str
    icon: str  # of the reward
    stamps: int
    owed: int

    @property
    def name(self) -> str:
        """Return the program's name in the language of this moment."""
        return pick(self.program.name)

    @property
    def size(self) -> int:
        """Return how many units fill the card; 0 where nothing is filled."""
        return self.program.full_at or 0

    @property
    def kind(self) -> str:
        """Return the kind of the program."""
        return self.program.kind

    @property
    def unit(self) -> tuple[str, str]:
        """Return the unit, singular and plural, in the language of this moment."""
        return unit(self.program.unit)


@dataclass(frozen=True)
class Happening:
    """One line of a member's story, newest first."""

    kind: str  # purchase, refund, coupon_issued, coupon_redeemed, coupon_returned, coupon_revoked, coupon_expired
    at: datetime
    title: str  # the outlet, or the reward
    outlet: str | None
    amount_cents: int | None
    stamps: int | None  # signed
    unit: tuple[str, str]
    reason: str  # why there were none, or what happened
    public_id: str | None = None


_Bought = tuple[Purchase, str, Award | None, dict[str, list[str]] | None]


def unit(texts: dict[str, list[str]]) -> tuple[str, str]:
    """Return a unit's singular and plural in the language of this moment."""
    forms = pick({language: "\n".join(words) for language, words in texts.items()}).split("\n")
    return (forms[0], forms[-1])


def family(session: Session, member_id: int) -> list[int]:
    """Return the ids of a member and of all that were merged into it."""
    merged = session.scalars(select(Member.id).where(Member.merged_into_id == member_id))
    return [member_id, *sorted(merged)]


def cards(session: Session, member_id: int) -> list[Card]:
    """Return a member's cards in the brand's order, empty ones too."""
    balances = ledger.balances(session, member_id)
    found = []
    for program in in_force(session, clock.now()):
        balance = balances.get(program.id, 0)
        reward = _next_reward(session, program, balance)
        found.append(
            Card(
                program,
                pick(reward.name) if reward else "",
                reward.icon if reward else "tag",
                max(balance, 0),
                max(-balance, 0),
            )
        )
    return found


def _next_reward(session: Session, program: ProgramInForce, balance: int) -> Reward | None:
    """Return what a full card gives, or the next threshold above a balance, or the last one; None where nothing is."""
    if program.reward_id is not None:
        return session.get_one(Reward, program.reward_id)
    steps = program.plan.thresholds
    ahead = next((step for step in steps if step.at > balance), steps[-1] if steps else None)
    return session.scalar(select(Reward).where(Reward.slug == ahead.reward)) if ahead else None


def story(session: Session, member_id: int, *, most: int = 50) -> list[Happening]:
    """Return what happened to a member, newest first."""
    # One member of the family at a time: for several, SQLite would read the whole brand in the order of time.
    lines = [
        line
        for one in family(session, member_id)
        for part in (_purchases, _refunds, _coupons, _redemptions)
        for line in part(session, one, most)
    ]
    # What a purchase caused shares its moment and stands above it.
    return sorted(lines, key=lambda line: (line.at, line.kind != "purchase"), reverse=True)[:most]


def _purchases(session: Session, member_id: int, most: int) -> list[Happening]:
    rows = session.execute(
        select(Purchase, Outlet.name, Award, Program.unit)
        .join(Outlet, Outlet.id == Purchase.outlet_id)
        .outerjoin(Award, Award.purchase_id == Purchase.id)
        .outerjoin(Program, Program.id == Award.program_id)
        .where(Purchase.member_id == member_id)
        .order_by(Purchase.occurred_at.desc())
        .limit(most)
    )
    lines = []
    for purchase, outlet, award, units in cast(Iterable[_Bought], rows):
        why = reasons.sentence(award.reason, award.details) if award is not None else _("No program was running")
        forms = unit(units) if units else ("", "")
        amount = award.amount if award is not None else 0
        lines.append(
            Happening(
                "purchase",
                purchase.occurred_at,
                outlet,
                outlet,
                purchase.total_cents,
                amount,
                forms,
                why,
                purchase.public_id,
            )
        )
    return lines


def _refunds(session: Session, member_id: int, most: int) -> list[Happening]:
    bought = session.scalars(select(Purchase.id).where(Purchase.member_id == member_id)).all()
    if not bought:
        return []
    rows = session.execute(
        select(Refund, Outlet.name, LedgerEntry.amount, Program.unit)
        .join(Till, Till.id == Refund.till_id)
        .join(Outlet, Outlet.id == Till.outlet_id)
        .outerjoin(LedgerEntry, (LedgerEntry.refund_id == Refund.id) & (LedgerEntry.kind == "reverse_earn"))
        .outerjoin(ProgramVersion, ProgramVersion.id == LedgerEntry.version_id)
        .outerjoin(Program, Program.id == ProgramVersion.program_id)
        .where(Refund.purchase_id.in_(bought))
        .order_by(Refund.occurred_at.desc())
        .limit(most)
    )
    found = rows.all()
    left = _balances_after(session, [row.id for row, *_rest in found])
    lines = []
    for row, outlet, amount, units in found:
        why = _("The purchase was taken back")
        if left.get(row.id, 0) < 0:
            why = _("The purchase was taken back. Its coupon was used already, so the next stamps pay for it.")
        forms = unit(units) if units else ("", "")
        lines.append(
            Happening(
                "refund", row.occurred_at, outlet, outlet, -row.amount_cents, amount or 0, forms, why, row.public_id
            )
        )
    return lines


def _balances_after(session: Session, refund_ids: Sequence[int]) -> dict[int, int]:
    """Return the balance that each refund left; below zero it is a debt."""
    if not refund_ids:
        return {}
    # Sorted here: SQLite would walk every entry of the brand to read them in the order of their ids.
    rows = session.execute(
        select(LedgerEntry.id, LedgerEntry.refund_id, LedgerEntry.balance).where(LedgerEntry.refund_id.in_(refund_ids))
    )
    in_order = sorted(rows, key=lambda row: row.id)
    return {row.refund_id: row.balance for row in in_order}


def _coupons(session: Session, member_id: int, _most: int) -> list[Happening]:
    # Cut by `story`: in the order of time SQLite would walk the brand's coupons, and its redemptions below.
    rows = session.execute(
        select(Coupon, Reward.name).join(Reward, Reward.id == Coupon.reward_id).where(Coupon.member_id == member_id)
    )
    lines = []
    for coupon, name in rows:
        why = _("A full card") if coupon.source_kind == "fill" else _("Welcome gift")
        lines.append(
            Happening("coupon_issued", coupon.issued_at, pick(name), None, None, None, ("", ""), why, coupon.public_id)
        )
        if coupon.state in ("revoked", "expired") and coupon.ended_at:
            kind = f"coupon_{coupon.state}"
            why = _("The stamps that earned it were taken back") if coupon.state == "revoked" else _("Its time ran out")
            lines.append(
                Happening(kind, coupon.ended_at, pick(name), None, None, None, ("", ""), why, coupon.public_id)
            )
    return lines


def _redemptions(session: Session, member_id: int, _most: int) -> list[Happening]:
    coupons = session.scalars(select(Coupon.id).where(Coupon.member_id == member_id)).all()
    if not coupons:
        return []
    rows = session.execute(
        select(Redemption, Reward.name, Outlet.name, Coupon.public_id, Till.name)
        .join(Coupon, Coupon.id == Redemption.coupon_id)
        .join(Reward, Reward.id == Coupon.reward_id)
        .join(Outlet, Outlet.id == Redemption.outlet_id)
        .outerjoin(Till, Till.id == Redemption.reversed_till_id)
        .where(Redemption.coupon_id.in_(coupons))
    )
    lines = []
    for row, name, outlet, public_id, till in rows:
        lines.append(
            Happening("coupon_redeemed", row.occurred_at, pick(name), outlet, None, None, ("", ""), "", public_id)
        )
        if row.reversed_at:
            why = _("Its use was undone at %(till)s", till=till) if till else _("It came back with a refund")
            lines.append(
                Happening("coupon_returned", row.reversed_at, pick(name), outlet, None, None, ("", ""), why, public_id)
            )
    return lines
