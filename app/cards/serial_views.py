"""Serial cards as a till shows them: what a member has left, and what an outlet sold or used and may take back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards.programs import ProgramInForce, in_force, of_version
from app.cards.serial_models import SerialCard, SerialUse
from app.cards.serial_parts import CARD
from app.core import clock


@dataclass(frozen=True)
class Stock:
    """What a member has left in one program; `ends_at` is the first moment without the first of them."""

    program: ProgramInForce
    left: int
    ends_at: datetime


@dataclass(frozen=True)
class Press:
    """Uses that were made at once: a row for each card that they came from."""

    rows: Sequence[SerialUse]
    member_id: int
    program: ProgramInForce

    @property
    def uses(self) -> int:
        """Return how many uses it was."""
        return sum(row.uses for row in self.rows)

    @property
    def public_id(self) -> str:
        """Return what names them all: the first row's id."""
        return self.rows[0].public_id

    @property
    def credit_cents(self) -> int:
        """Return what the cards gave back for their speed."""
        return sum(row.credit_cents for row in self.rows)

    @property
    def is_back(self) -> bool:
        """Tell whether the member has all of them again."""
        return all(row.reversed_at for row in self.rows)


def stocks(session: Session, member_id: int) -> list[Stock]:
    """Return what a member has paid in advance and not used, in the brand's order; nothing where nothing is left."""
    mine = select(SerialCard).where(
        SerialCard.member_id == member_id, SerialCard.refunded_at.is_(None), SerialCard.expires_at > clock.now()
    )
    held: dict[int, list[SerialCard]] = {}
    for card in session.scalars(mine):
        if card.left:
            held.setdefault(card.program_id, []).append(card)
    return [
        Stock(program, sum(card.left for card in cards), min(card.expires_at for card in cards))
        for program in offered(session)
        if (cards := held.get(program.id))
    ]


def offered(session: Session) -> list[ProgramInForce]:
    """Return the serial cards that every till sells at this moment."""
    return [program for program in in_force(session, clock.now()) if program.kind == CARD]


def untouched(session: Session, member_id: int, *, outlet_id: int) -> list[SerialCard]:
    """Return a member's cards that an outlet sold and may take back, the newest first."""
    wanted = select(SerialCard).where(
        SerialCard.member_id == member_id, SerialCard.outlet_id == outlet_id, SerialCard.refunded_at.is_(None),
        SerialCard.used == 0, SerialCard.lost == 0, SerialCard.expires_at > clock.now(),
    )  # fmt: skip
    return list(session.scalars(wanted.order_by(SerialCard.id.desc())))


def presses(session: Session, member_id: int, *, outlet_id: int, since: datetime) -> list[Press]:
    """Return a member's uses at an outlet that were not taken back, the newest first."""
    wanted = (
        select(SerialUse)
        .join(SerialCard, SerialCard.id == SerialUse.card_id)
        .where(
            SerialCard.member_id == member_id, SerialUse.outlet_id == outlet_id, SerialUse.recorded_at > since,
            SerialUse.reversed_at.is_(None),
        )
        .order_by(SerialUse.id.desc())
    )  # fmt: skip
    return _together(session, session.scalars(wanted))


def press(session: Session, public_id: str, *, outlet_id: int) -> Press | None:
    """Return the uses that were made with one of an outlet, that one among them; None where there is none."""
    one = session.execute(
        select(SerialUse, SerialCard)
        .join(SerialCard, SerialCard.id == SerialUse.card_id)
        .where(SerialUse.public_id == public_id, SerialUse.outlet_id == outlet_id)
    ).one_or_none()
    if one is None:
        return None
    use, card = one
    with_it = (
        select(SerialUse)
        .join(SerialCard, SerialCard.id == SerialUse.card_id)
        .where(
            SerialUse.till_id == use.till_id, SerialUse.occurred_at == use.occurred_at,
            SerialCard.member_id == card.member_id, SerialCard.program_id == card.program_id,
        )
        .order_by(SerialUse.id)
        .execution_options(populate_existing=True)
    )  # fmt: skip
    return Press(session.scalars(with_it).all(), card.member_id, of_version(session, card.version_id))


def newest_press(session: Session, *, till_id: int, outlet_id: int, since: datetime) -> Press | None:
    """Return a till's newest uses since a moment of the last minute, unless they were taken back."""
    public_id = session.scalar(
        select(SerialUse.public_id)
        .where(
            SerialUse.till_id == till_id, SerialUse.recorded_at > since, SerialUse.reversed_at.is_(None)
        )
        .order_by(SerialUse.id.desc())
        .limit(1)
    )  # fmt: skip
    return press(session, public_id, outlet_id=outlet_id) if public_id else None


def _together(session: Session, rows: Iterable[SerialUse]) -> list[Press]:
    """Return uses by press, in the order in which each is met first."""
    met: dict[tuple[int, datetime, int], list[tuple[SerialUse, SerialCard]]] = {}
    for row in rows:
        card = session.get_one(SerialCard, row.card_id)
        met.setdefault((row.till_id, row.occurred_at, card.program_id), []).append((row, card))
    return [
        Press([row for row, _card in reversed(made)], made[0][1].member_id, of_version(session, made[0][1].version_id))
        for made in met.values()
    ]
