"""What cards tell the slices above."""

from dataclasses import dataclass

from app.core.events import Event


@dataclass(frozen=True, kw_only=True)
class CardProgressed(Event):
    """A card's balance changed: wallets and phones are to show it."""

    member_id: int
    program_id: int
    amount: int  # signed stamps of this change
    purchase_id: int | None
