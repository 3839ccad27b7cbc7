"""Lines of a member's story, and the titles that all doors give them."""

from dataclasses import dataclass
from datetime import datetime

from app.cards.units import MONEY, Unit, signed
from app.core.i18n import gettext as _


@dataclass(frozen=True)
class Gain:
    """A signed change in one program, in its unit; `kind` is the program's, or gift_card."""

    kind: str
    amount: int
    unit: Unit = ("", "")

    @property
    def text(self) -> str:
        """Return the change with its sign: `+1 stamp`, `−5,00 € bonus`."""
        return signed(self.kind, self.amount, self.unit)

    @property
    def tone(self) -> str:
        """Return how it is colored."""
        return "plus" if self.amount > 0 else "minus" if self.amount < 0 else "none"


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One line of a member's story."""

    kind: str  # purchase, refund, coupon_…, gift_card_…, or what moved an account
    at: datetime
    title: str  # the outlet, the program or the reward
    outlet: str | None = None
    amount_cents: int | None = None
    gains: tuple[Gain, ...] = ()
    reasons: tuple[str, ...] = ()  # why there was nothing or less, or what happened
    public_id: str | None = None


def title(line: Happening) -> str:
    """Return what a line is called that is no purchase, refund or coupon."""
    money = bool(line.gains) and line.gains[0].kind in MONEY
    paid = _("Paid with %(card)s", card=line.title) if money else _("Used: %(card)s", card=line.title)
    titles = {
        "spent": paid,
        "spend_returned": _("Paid back: %(card)s", card=line.title),
        "expired": _("Expired: %(card)s", card=line.title),
        "released": _("Can be used now: %(card)s", card=line.title),
        "adjusted": _("Corrected: %(card)s", card=line.title),
        "moved": _("Moved here: %(card)s", card=line.title),
        "gift_card_issued": _("New gift card: %(card)s", card=line.title),
        "gift_card_used": _("Paid with %(card)s", card=line.title),
        "gift_card_returned": _("Paid back: %(card)s", card=line.title),
        "gift_card_expired": _("Expired: %(card)s", card=line.title),
        "gift_card_revoked": _("Taken back: %(card)s", card=line.title),
    }
    return titles.get(line.kind, line.title)
