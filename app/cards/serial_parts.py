"""What selling and using serial cards share: their errors, the locks, what is frozen and what is told."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.cards import serial_credit
from app.cards.events import progressed
from app.cards.paying import ProgramUnknown
from app.cards.programs import ProgramInForce, in_force
from app.cards.serial_models import SerialCard
from app.core.errors import Conflict, Invalid, NotFound
from app.core.events import emit
from app.core.i18n import gettext as _
from app.ledger import service as ledger
from app.ledger import settling
from app.ledger.accounts import OpenAccount, open_accounts
from app.ledger.models import FactKind
from app.ledger.settling import Fact
from app.network.models import Till

CARD, USE = "serial_card", "serial_use"  # kinds of sources


class ProgramNotSerial(Conflict):
    """The program is no serial card: nothing of it is bought in advance."""

    code = "program_not_serial"


class SerialPriceWrong(Invalid):
    """The till took in another price than the card costs; `price_cents` says what that is."""

    code = "serial_price_wrong"


class UsesTooFew(Conflict):
    """More was to be used than the member has; `left` says how many uses there are."""

    code = "serial_uses_too_few"


class SerialCardSoldLater(Conflict):
    """An offline till says that uses were made before they were bought; `left` says how many there were by then."""

    code = "serial_card_sold_later"


class SerialCardUnknown(NotFound):
    """No such serial card was sold at this outlet."""

    code = "serial_card_unknown"


class SerialCardTouched(Conflict):
    """The card was used or has expired, so its price is not paid back."""

    code = "serial_card_touched"


class SerialUseUnknown(NotFound):
    """No such use at this outlet."""

    code = "serial_use_unknown"


def demand_program(session: Session, slug: str, at: datetime) -> ProgramInForce:
    """Return the serial card of a short name as it is in force at a moment.

    Raises:
        ProgramUnknown, ProgramNotSerial: there is none, or it is of another kind.
    """
    program = next((one for one in in_force(session, at) if one.slug == slug), None)
    if program is None:
        raise ProgramUnknown(_("There is no such program."), program=slug)
    if program.kind != CARD:
        raise ProgramNotSerial(_("Nothing of this program is bought in advance."), program=slug)
    return program


def open_all(
    session: Session, program: ProgramInForce, member_id: int, *, till: Till, at: datetime, cashier: str | None = None
) -> dict[int, OpenAccount]:
    """Lock a member's accounts, that of the bonus which a credit goes to among them."""
    bonus = serial_credit.bonus_program(session)
    ids = [program.id, *([bonus.id] if bonus else [])]
    context = {"occurred_at": at, "till_id": till.id, "outlet_id": till.outlet_id, "cashier": cashier}
    return open_accounts(session, member_id=member_id, program_ids=ids, context=context)


def sold_by(at: datetime, cards: Sequence[SerialCard], uses: int) -> list[SerialCard]:
    """Return the cards that were sold by a moment, as tills' clocks tell it; together they have so many uses.

    Raises:
        SerialCardSoldLater, UsesTooFew: they have not.
    """
    sold = [card for card in cards if card.sold_at <= at + ledger.AHEAD]
    left = sum(card.left for card in sold)
    if left < uses <= sum(card.left for card in cards):
        raise SerialCardSoldLater(_("These uses were bought after they were made."), left=left)
    if uses > left:
        raise UsesTooFew(_("There are not that many uses left."), left=left)
    return sold


def freeze(
    session: Session, program: ProgramInForce, kind: FactKind, cents: int, source: tuple[str, int], *, till: Till,
    at: datetime,
) -> None:  # fmt: skip
    """Freeze what a sale or a use makes brand and outlet owe each other; nothing where it is nothing."""
    if cents:
        fact = Fact(kind, cents, *source, at, cost_centre_id=program.cost_centre_id, campaign=program.campaign)
        settling.freeze(session, fact, till=till)


def tell(session: Session, account: OpenAccount, member_id: int, amount: int, entry_id: int) -> None:
    """Let wallets and phones follow what changed in an account."""
    emit(
        session,
        progressed(
            member_id=member_id, program_id=account.program_id, amount=amount, purchase_id=None, entry_id=entry_id
        ),
    )
