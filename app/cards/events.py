"""What cards tell the slices above."""

from dataclasses import dataclass

from app.core.events import Event


@dataclass(frozen=True, kw_only=True)
class CardProgressed(Event):
    """A card's balance changed: wallets and phones are to show it."""

    member_id: int
    program_id: int
    amount: int  # signed units of this change
    purchase_id: int | None
    entry_id: int  # the ledger entry of this change, whose kind says what happened; the same event again names it too
    card: str  # `member:program`, so that ten stamps make one job


def progressed(
    *, member_id: int, program_id: int, amount: int, purchase_id: int | None, entry_id: int
) -> CardProgressed:
    """Return the event of one change of one card."""
    card = f"{member_id}:{program_id}"
    return CardProgressed(
        member_id=member_id, program_id=program_id, amount=amount, purchase_id=purchase_id, entry_id=entry_id, card=card
    )


@dataclass(frozen=True, kw_only=True)
class TierChanged(Event):
    """A member's tier in a standing program became another one; an empty slug is no tier."""

    member_id: int
    program_id: int
    was: str
    tier: str
    change_id: int


@dataclass(frozen=True, kw_only=True)
class MessageAsked(Event):
    """A rule of a program asks that its member is sent a message; `key` names it."""

    member_id: int
    program_id: int
    key: str


@dataclass(frozen=True, kw_only=True)
class SimulationAsked(Event):
    """A simulation is to be run that is too long to wait for."""

    run_id: int
