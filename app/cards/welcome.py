"""What joining brings: the brand's welcome gift and the rules that wait for it, promised at once, given once a contact.

Source: earning.md, "Rewards and coupons"; design.md section 3, "Members and contacts".
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import planning, triggers
from app.cards.granting import Triggered
from app.cards.models import TriggerRun
from app.cards.programs import in_force
from app.cards.triggers import Event
from app.cards.units import counted, unit
from app.core import clock
from app.core.i18n import pick
from app.ledger import service as ledger
from app.members.models import Member
from app.network.models import Till
from app.rewards import service as rewards
from app.rewards.models import Reward
from app.rewards.service import Given

JOIN, ONCE = "join", "joined"  # the trigger, and its source: one for each member


@dataclass(frozen=True)
class Welcomed:
    """What joining brought: the brand's gift, and what rules gave."""

    gift: Given | None
    runs: tuple[Triggered, ...]


@dataclass(frozen=True)
class Promise:
    """What joining will bring, in words, with the picture of its first reward."""

    title: str
    icon: str


def welcome(session: Session, member: Member, *, contact: str, till: Till | None = None) -> Welcomed | None:
    """Give what joining brings, once for each contact and member ever; None where there is nothing or it was given.

    Called when a contact is confirmed, or by a till that signs somebody up where the brand allows it.

    Args:
        contact: the normalized address or number; kept as a hash only, also after the member is gone.
        till: that signed the member up.
    """
    ledger.hold_member(session, member.id)  # of two contacts confirmed at one moment, the second sees the first's gift
    if _joined(session, member):
        return None
    event = _event(member, till)
    heard = any(event.heard_by(program) for program in in_force(session, event.at))
    if not heard and rewards.welcome_reward(session) is None:
        return None  # nothing to remember a contact for
    claimed = rewards.claim_welcome(session, member_id=member.id, contact=contact)
    if claimed is None:
        return None
    runs = triggers.trigger_each(session, [member.id], event)
    return Welcomed(rewards.give_welcome(session, member_id=member.id, claimed=claimed), tuple(runs))


def promised(session: Session, member: Member | None = None) -> Promise | None:
    """Return what joining will bring to somebody, or to a member who has not confirmed a contact; None for nothing."""
    if member is not None and _joined(session, member):
        return None
    told: list[str] = []
    gift = rewards.welcome_reward(session)
    event = _event(member, None)
    gifts = [gift] if gift else []
    for award in triggers.plan(session, member.id if member else 0, event):
        program = award.line.program
        if award.line.amount:
            told.append(counted(program.kind, award.line.amount, unit(program.unit)))
        found = planning.reward_ids(session, award.outcome.issues)
        gifts += [session.get_one(Reward, reward_id) for reward_id in found]
    told = [pick(reward.name) for reward in gifts] + told
    return Promise(" + ".join(told), gifts[0].icon if gifts else "tag") if told else None


def _joined(session: Session, member: Member) -> bool:
    run = select(TriggerRun.id).where(TriggerRun.member_id == member.id, TriggerRun.kind == JOIN).limit(1)
    return session.scalar(run) is not None


def _event(member: Member | None, till: Till | None) -> Event:
    """Return joining as rules see it: at the outlet that signed the member up, else on the web."""
    outlet_id = till.outlet_id if till else member.outlet_id if member else None
    return Event(JOIN, ONCE, clock.now(), outlet_id=outlet_id, till_id=till.id if till else None, channel="web")
