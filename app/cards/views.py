"""A member's cards: what the phone, the till, the console and the wallets show of each program."""

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import tiers
from app.cards.programs import ProgramInForce, in_force
from app.cards.tiers import Held
from app.cards.units import Unit, unit
from app.core import clock
from app.core.i18n import pick
from app.ledger.holdings import Holding, holdings
from app.rewards.models import Reward

__all__ = ["Card", "cards", "unit"]


@dataclass(frozen=True)
class Card:
    """One program as the member's card shows it. `reward` is what a full card or the next threshold gives."""

    program: ProgramInForce
    reward: str = ""
    icon: str = "tag"  # of the reward
    worth_cents: int = 0  # of the reward where it is a gift card
    holding: Holding = field(default_factory=Holding)
    tier: Held | None = None  # of a standing program

    @property
    def name(self) -> str:
        """Return the program's name in the language of this moment."""
        return pick(self.program.name)

    @property
    def kind(self) -> str:
        """Return the kind of the program."""
        return self.program.kind

    @property
    def unit(self) -> Unit:
        """Return the unit, singular and plural, in the language of this moment."""
        return unit(self.program.unit)

    @property
    def balance(self) -> int:
        """Return what can be used or counts now, cents for kinds of money; below zero it is a debt."""
        return self.holding.balance

    @property
    def stamps(self) -> int:
        """Return the balance, none of a debt."""
        return max(self.balance, 0)

    @property
    def owed(self) -> int:
        """Return the units that the next ones pay back first."""
        return max(-self.balance, 0)

    @property
    def size(self) -> int:
        """Return how many units fill the card or end a round; 0 where nothing is filled."""
        return self.program.full_at or 0

    @property
    def next_at(self) -> int | None:
        """Return the balance that brings the next reward; None where there is none ahead."""
        if self.program.size:
            return self.program.size
        return next((step.at for step in self.program.plan.thresholds if step.at > self.balance), None)


def cards(session: Session, member_id: int) -> list[Card]:
    """Return a member's cards in the brand's order, empty ones too."""
    held = holdings(session, member_id)
    held_tiers = {one.program.id: one for one in tiers.held(session, member_id, clock.now())}
    found = []
    for program in in_force(session, clock.now()):
        holding = held.get(program.id, Holding())
        reward = _next_reward(session, program, holding.balance)
        if reward is None:
            found.append(Card(program, holding=holding, tier=held_tiers.get(program.id)))
            continue
        stored = reward.kind == "gift_card"
        icon, worth = ("gift", reward.face_cents) if stored else (reward.icon, 0)
        found.append(Card(program, pick(reward.name), icon, worth, holding))
    return found


def _next_reward(session: Session, program: ProgramInForce, balance: int) -> Reward | None:
    """Return what a full card gives, or the next threshold above a balance, or the last one; None where nothing is."""
    if program.reward_id is not None:
        return session.get_one(Reward, program.reward_id)
    steps = program.plan.thresholds
    ahead = next((step for step in steps if step.at > balance), steps[-1] if steps else None)
    return session.scalar(select(Reward).where(Reward.slug == ahead.reward)) if ahead else None
