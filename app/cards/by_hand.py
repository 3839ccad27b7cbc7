"""What staff give without a purchase: manual stamps, and the stamps of a cardboard card, moved over once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import flags, granting, limits, planning
from app.cards.limits import Limits, Suspicion
from app.cards.misuse_models import BY_HAND, CARDBOARD, CardboardCard, ManualStamp
from app.cards.paying import ProgramUnknown
from app.cards.planning import AwardPlan
from app.cards.programs import ProgramInForce, in_force
from app.cards.rules import Outcome
from app.cards.situation import Situation, situation
from app.core import clock
from app.core.errors import Conflict, Invalid
from app.core.i18n import gettext as _
from app.ledger import service as ledger
from app.ledger.accounts import OpenAccount, open_accounts
from app.members import lookup
from app.members.models import Member
from app.network.models import Till
from app.rewards.service import CouponView, GiftCardView
from app.rewards.service import Given as Reward

REASONS = ("forgotten_card", "till_down", "goodwill", "correction", "other")
KINDS = ("stamp_card", "points", "visits")


class NoStampsByHand(Conflict):
    """The program is of a kind that nobody stamps by hand, or has no cardboard card."""

    code = "no_stamps_by_hand"


class OwnCard(Conflict):
    """Nobody moves a cardboard card over to their own card; a colleague can."""

    code = "own_card"


class CardboardCardMoved(Conflict):
    """The member has moved a cardboard card of this program over already; `at` says when."""

    code = "cardboard_card_moved"


class TooManyOnCardboard(Invalid):
    """A cardboard card has fewer stamps than fill it; `most` says how many can be moved over."""

    code = "too_many_on_cardboard"


@dataclass(frozen=True)
class Given:
    """What was given by hand in a program; `reason` and `values` say why it was nothing."""

    public_id: str
    program: ProgramInForce
    amount: int
    balance: int
    filled: int
    reason: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    rewards: list[Reward] = field(default_factory=list)

    @property
    def coupons(self) -> list[CouponView]:
        """Return the coupons that it brought."""
        return [one for one in self.rewards if isinstance(one, CouponView)]

    @property
    def gift_cards(self) -> list[GiftCardView]:
        """Return the gift cards that it brought."""
        return [one for one in self.rewards if isinstance(one, GiftCardView)]


@dataclass(frozen=True)
class _Counter:
    """A member's locked account in a program, and where it is stamped."""

    member_id: int
    program: ProgramInForce
    account: OpenAccount
    limits: Limits
    where: Situation

    @property
    def at(self) -> datetime:
        """Return the moment in the brand's zone."""
        return self.where.at

    def plan(self, session: Session, amount: int) -> AwardPlan:
        facts = self.where.facts(self.program)
        return planning.plan_outcome(
            session, self.program, facts, Outcome(amount=amount), member_id=self.member_id, before=self.account.balance
        )

    def own_card(
        self, session: Session, till: Till, cashier: str, approver: str | None
    ) -> tuple[str, dict[str, Any], tuple[Suspicion, ...]]:
        return limits.own_card(
            session, self.limits, member_id=self.member_id, outlet_id=till.outlet_id, at=self.at,
            staff=(cashier, approver),
        )  # fmt: skip


def stamp(
    session: Session,
    member: Member,
    *,
    till: Till,
    program: str,
    wanted: int,
    cashier: str,
    reason: str,
    approver: str | None = None,
    occurred_at: datetime | None = None,
) -> Given:
    """Give stamps by hand. What a limit cuts is kept as 0, with the reason, and flagged for the brand.

    Args:
        member: a merged one is followed to the member it became.
        program: its short name.
        cashier, approver: public ids of staff; the approver is a manager.
        reason: one of `REASONS`.

    Raises:
        ProgramUnknown, NoStampsByHand: there is no such program for it.
        NeedsApproval: so many at once need a manager.
        TimeOutOfRange: `occurred_at` cannot be true.

    Source: earning.md, "Limits against misuse".
    """
    counter = _open(session, member, till, program, KINDS, cashier, approver, occurred_at or clock.now())
    cut, values, suspicions = _cut(session, counter, till, wanted, cashier, approver)
    row = ManualStamp(
        member_id=counter.member_id, program_id=counter.program.id, version_id=counter.program.version_id,
        till_id=till.id, outlet_id=till.outlet_id, cashier=cashier, approver=approver, reason=reason, wanted=wanted,
        amount=0 if cut else wanted, cut=cut, details=values, local_date=counter.at.date(), occurred_at=counter.at,
        recorded_at=clock.now(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    flags.write(
        session, suspicions, member_id=counter.member_id, outlet_id=till.outlet_id, staff=cashier, at=counter.at,
        manual_stamp_id=row.id,
    )  # fmt: skip
    if cut:
        return Given(row.public_id, counter.program, 0, counter.account.balance, 0, cut, values)
    award = counter.plan(session, wanted)
    given = granting.grant(
        session, award, counter.account, kind="earn", member_id=counter.member_id, reason=reason, source_kind=BY_HAND,
        source_id=row.id,
    )  # fmt: skip
    filled = award.line.filled + sum(after.line.filled for after in award.follows)
    return Given(row.public_id, counter.program, wanted, counter.account.balance, filled, rewards=given)


def _open(
    session: Session, member: Member, till: Till, slug: str, kinds: tuple[str, ...], cashier: str,
    approver: str | None, occurred_at: datetime,
) -> _Counter:  # fmt: skip
    ledger.check_time(occurred_at)
    member_id = ledger.hold_member(session, member.id)
    program = next((one for one in in_force(session, occurred_at) if one.slug == slug), None)
    if program is None:
        raise ProgramUnknown(_("There is no such program."))
    if program.kind not in kinds:
        raise NoStampsByHand(_("Nothing is given by hand in this program."))
    context = {
        "occurred_at": occurred_at, "till_id": till.id, "outlet_id": till.outlet_id, "cashier": cashier,
        "approver": approver,
    }  # fmt: skip
    account = open_accounts(session, member_id=member_id, program_ids=[program.id], context=context)[program.id]
    where = situation(session, member_id=member_id, outlet_id=till.outlet_id, at=occurred_at, lock=True)
    return _Counter(member_id, program, account, limits.of_brand(session), where)


def _cut(
    session: Session, counter: _Counter, till: Till, wanted: int, cashier: str, approver: str | None
) -> tuple[str, dict[str, Any], tuple[Suspicion, ...]]:
    """Return which limit allows nothing, what its sentence names, and what the brand is to look at."""
    reason, values, suspicions = counter.own_card(session, till, cashier, approver)
    if not reason:
        reason, values = limits.by_hand(
            session, counter.limits, member_id=counter.member_id, cashier=cashier, wanted=wanted, at=counter.at
        )
    slug = counter.program.slug
    if reason:
        return reason, values, (*suspicions, Suspicion(reason, {"would": {slug: wanted}, **values}))
    _name, most = counter.limits.largest(counter.program.kind)
    if most is not None and wanted > most and approver is None:
        raise limits.needs_approval({slug: wanted})
    return "", {}, suspicions


def move_cardboard(
    session: Session, member: Member, *, till: Till, program: str, stamps: int, cashier: str, approver: str
) -> Given:
    """Move a cardboard card over, once for each member and program.

    Args:
        stamps: on the cardboard card, at most one less than fill it.
        cashier, approver: public ids of staff; the approver is a manager.

    Raises:
        ProgramUnknown, NoStampsByHand: there is no such stamp card.
        TooManyOnCardboard: so many fill the card.
        OwnCard: it is the card of who does it.
        CardboardCardMoved: it was done before.

    Source: earning.md, "Rewards and coupons".
    """
    counter = _open(session, member, till, program, ("stamp_card",), cashier, approver, clock.now())
    most = (counter.program.size or 1) - 1
    if not 0 < stamps <= most:
        raise TooManyOnCardboard(_("A cardboard card has 1 to %(most)s stamps.", most=most), most=most)
    if counter.own_card(session, till, cashier, approver)[0]:
        raise OwnCard(_("A colleague has to do this on your own card."))
    _demand_first(session, counter)
    row = CardboardCard(
        member_id=counter.member_id, program_id=counter.program.id, till_id=till.id, outlet_id=till.outlet_id,
        cashier=cashier, approver=approver, stamps=stamps, at=counter.at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    award = counter.plan(session, stamps)
    given = granting.grant(
        session, award, counter.account, kind="adjust", member_id=counter.member_id, reason="cardboard_card",
        source_kind=CARDBOARD, source_id=row.id,
    )  # fmt: skip
    return Given(row.public_id, counter.program, stamps, award.line.balance, award.line.filled, rewards=given)


def _demand_first(session: Session, counter: _Counter) -> None:
    """Refuse a second cardboard card, also of a member who was merged into this one."""
    moved = select(CardboardCard.at).where(
        CardboardCard.member_id.in_(lookup.family(session, counter.member_id)),
        CardboardCard.program_id == counter.program.id,
    )
    at = session.scalar(moved.limit(1))
    if at is not None:
        raise CardboardCardMoved(_("A cardboard card of this member was moved over already."), at=at.isoformat())
