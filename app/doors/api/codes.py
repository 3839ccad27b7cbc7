"""What each operation of the till API can refuse: its stable codes, from the errors that the services raise."""

from dataclasses import dataclass, field

from app.cards import by_hand, limits, paying, serial
from app.cards.returns import LineUnknown, NotThatMuchLeft
from app.core.db import DatabaseDown
from app.core.errors import Invalid, LeimaError, TooMany, Unauthorized
from app.core.web.guard import CrossSite
from app.doors import approvals, guesses, idempotency
from app.doors.api import sales
from app.ledger import service as ledger
from app.ledger.accounts import BalanceTooSmall
from app.members import allowing, consents, contacts, forms, scans
from app.network import pins, staff, tills
from app.rewards import catalog, offers, selling
from app.rewards import service as rewards
from app.rewards.rules import LinesDoNotSum, SpendTooLarge

Errors = tuple[type[LeimaError], ...]

EVERYWHERE: Errors = (
    Unauthorized, tills.TillKeyUnknown, CrossSite, idempotency.KeyReused, Invalid, idempotency.KeyMissing, TooMany,
    DatabaseDown,
)  # fmt: skip
LOOKING: Errors = (Unauthorized, tills.TillKeyUnknown, TooMany, DatabaseDown)  # without a body, a key, an effect
# What the web server's side refuses before or after the services: no LeimaError, but as stable.
OF_THE_WEB = (
    (400, "bad_request", "The body is no JSON, or the request holds NUL."),
    (413, "body_too_large", "The body is larger than 64 kB."),
    (415, "unsupported_media_type", "The body is not sent as application/json."),
    (500, "internal_error", "Something of ours broke; nothing was saved."),
)
NO_ADDRESS = (404, "not_found", "The code in the address cannot be one: it holds a slash or is empty.")


@dataclass(frozen=True)
class Operation:
    """What the document says of one operation beside its schemas."""

    id: str
    summary: str
    description: str
    answer: str  # what a 201 says
    errors: Errors
    more: tuple[tuple[int, str, str], ...] = field(default=())  # like OF_THE_WEB
    method: str = "post"

    def codes(self) -> dict[int, dict[str, str]]:
        """Return status → code → what it means, of all that this operation can refuse."""
        found: dict[int, dict[str, str]] = {}
        always, of_web = (EVERYWHERE, OF_THE_WEB) if self.method == "post" else (LOOKING, OF_THE_WEB[-1:])
        of_errors = [(error.status, error.code, _meaning(error)) for error in (*always, *self.errors)]
        for status, code, text in sorted([*of_errors, *of_web, *self.more]):
            found.setdefault(status, {})[code] = text
        return found


def _meaning(error: type[LeimaError]) -> str:
    """Return the first paragraph of an error's docstring: what it means, written where it is raised."""
    return " ".join((error.__doc__ or "").split("\n\n")[0].split())


PAYING: Errors = (
    scans.MemberCodeUnknown, scans.ScanUnknown, scans.ScanExpired, staff.StaffUnknown, guesses.TooManyUnknownCodes,
    LinesDoNotSum, SpendTooLarge, paying.ProgramUnknown, paying.NotSpendable, BalanceTooSmall, scans.RedeemNotAllowed,
    paying.CodeTwice, rewards.CouponUnknown, rewards.CouponNotUsable, rewards.GiftCardUnknown,
    rewards.GiftCardNotUsable, rewards.GiftCardTooSmall, guesses.TooManyWrongCoupons, ledger.TimeOutOfRange,
    limits.NeedsApproval, pins.ApprovalRefused, approvals.TooManyWrongPins, offers.OfferUnknown, offers.OfferNotUsable,
    offers.OfferPriceWrong,
)  # fmt: skip

OPERATIONS = {
    "/api/v1/scans": Operation(
        "readMemberCode",
        "Read a member's code",
        "Say whose code was scanned or typed, with cards and coupons. The code of the moment is used up by this: it may"
        " redeem once. A static or spoken code, or one that is stale or used, still earns. The scan lives 5 minutes.",
        "Whose code it is",
        (scans.MemberCodeUnknown, guesses.TooManyUnknownCodes),
    ),
    "/api/v1/scans/{scan}/confirmations": Operation(
        "askToRedeem",
        "Ask to let a scan redeem",
        "Ask the member's app whether coupons and bonus may be used on this scan; for one that may not redeem, as a"
        " static code's. Asked twice, the same question stands. A refusal is final for that question; after three of"
        " them within ten minutes the member is left alone. `GET /scans/{scan}` tells the answer.",
        "What was asked",
        (
            scans.ScanUnknown, scans.ScanExpired, allowing.ConfirmationNotNeeded, allowing.ConfirmationRefusedOften,
        ),
        (NO_ADDRESS,),
    ),
    "/api/v1/scans/{scan}": Operation(
        "readScan",
        "Look at a scan again",
        "Say how a scan of this till stands: whether it may redeem, which it may once the member's app has allowed it,"
        " and the coupons' codes then. Ask again each second or two while a question waits.",
        "The scan as it is now",
        (scans.ScanUnknown, scans.ScanExpired, scans.MemberCodeUnknown),
        (NO_ADDRESS,),
        "get",
    ),
    "/api/v1/members": Operation(
        "signMemberUp",
        "Sign a member up",
        "Make a card for a new member, stampable at once. A message goes to `contact`; consents stay pending until the"
        " member confirms on their own phone. A contact that somebody has already gets the same answer: the cards"
        " become one when it is confirmed.",
        "The new member",
        (
            forms.ContactRequired, contacts.ContactInvalid, contacts.EmailInvalid, contacts.PhoneInvalid,
            contacts.PhoneNotMobile, forms.AgeMissing, forms.NameInvalid, consents.ContactMissing,
            consents.ConsentNotOffered, forms.SeveralFaults,
        ),
    ),
    "/api/v1/purchases": Operation(
        "bookPurchase",
        "Book a purchase",
        "Book what a member bought, and answer what it earned: stamps, filled cards and their coupons. An award of"
        " nothing says why. Coupons, bonus and gift cards pay first, in this order; money that is left earns. A receipt"
        " is booked once for a till and day, whatever its Idempotency-Key.",
        "What the purchase earned",
        (*PAYING, ledger.ReceiptKnown, ledger.ReceiptInvalid),
    ),
    "/api/v1/quotes": Operation(
        "quotePurchase",
        "Quote a purchase",
        "Say before payment what the same body would earn, cost and use as a purchase, or how it would be refused. It"
        " books and holds nothing; what it says holds for this moment.",
        "What the purchase would do",
        PAYING,
    ),
    "/api/v1/stamps": Operation(
        "stampByHand",
        "Give stamps by hand",
        "Give a member stamps without a purchase, with the cashier and a reason. What a limit of the brand does not"
        " allow is answered with an amount of 0 and the reason, and the brand sees it; so many at once that a manager"
        " must approve are refused until one does.",
        "What was given",
        (
            scans.MemberCodeUnknown, scans.ScanUnknown, scans.ScanExpired, staff.StaffUnknown, paying.ProgramUnknown,
            by_hand.NoStampsByHand, limits.NeedsApproval, pins.ApprovalRefused, approvals.TooManyWrongPins,
            guesses.TooManyUnknownCodes,
        ),
    ),
    "/api/v1/cardboard-cards": Operation(
        "moveCardboardCard",
        "Move a cardboard card over",
        "Move the stamps of a cardboard card over, once for each member and program, with a manager's PIN. It has at"
        " most one stamp less than fill it; together with those on the member's card they may fill that.",
        "The stamps that were moved",
        (
            scans.MemberCodeUnknown, scans.ScanUnknown, scans.ScanExpired, staff.StaffUnknown, paying.ProgramUnknown,
            by_hand.NoStampsByHand, by_hand.OwnCard, by_hand.CardboardCardMoved, by_hand.TooManyOnCardboard,
            pins.ApprovalRefused, approvals.TooManyWrongPins, guesses.TooManyUnknownCodes,
        ),
    ),
    "/api/v1/refunds": Operation(
        "refundPurchase",
        "Take a purchase back",
        "Take a purchase of this outlet back, whole or some of its lines. What is left is counted again by the rules of"
        " its day: stamps go, and the coupons that they made unless used; a used coupon leaves a debt. A second refund"
        " of a whole purchase changes nothing and says `repeated`.",
        "What the refund took",
        (ledger.PurchaseUnknown, NotThatMuchLeft, LineUnknown, sales.LineTwice),
    ),
    "/api/v1/batches": Operation(
        "bookBatch",
        "Book an offline till's events",
        "Book up to 500 calls that a till could not make, each with its own key and in a transaction of its own, in the"
        " order of occurred_at and key. One that is refused does not stop the others. Send the same batch again after a"
        " lost answer: what was booked is not booked twice. Limits and budgets count in the order of recording.",
        "What became of each event",
        (),
    ),
    "/api/v1/coupons/{code}/reservations": Operation(
        "reserveCoupon",
        "Hold a coupon",
        "Keep a coupon for this till for 5 minutes while the basket is rung up. Another till is refused meanwhile and"
        " told until when; this till may renew the hold and redeem. A hold ends by itself.",
        "The coupon is held",
        (rewards.CouponUnknown, rewards.CouponNotUsable, guesses.TooManyWrongCoupons),
        (NO_ADDRESS,),
    ),
    "/api/v1/coupons/{code}/redemptions": Operation(
        "redeemCoupon",
        "Redeem a coupon",
        "Use a coupon, once ever. A repeat with the same Idempotency-Key returns the first answer; with another key it"
        " is refused, and the refusal says when and where the coupon was used.",
        "The coupon is used now",
        (
            rewards.CouponUnknown, rewards.CouponNotUsable, ledger.PurchaseUnknown, ledger.PurchaseRefunded,
            guesses.TooManyWrongCoupons,
        ),
        (NO_ADDRESS,),
    ),
    "/api/v1/redemptions/{redemption}/reversals": Operation(
        "reverseRedemption",
        "Take a redemption back",
        "Undo the use of a coupon at this outlet: the coupon is the member's again, valid as long as it was, and the"
        " outlet is not paid. A second reversal changes nothing and says `repeated`.",
        "The redemption counts no more",
        (rewards.RedemptionUnknown, rewards.RedemptionInBasket),
        (NO_ADDRESS,),
    ),
    "/api/v1/gift-cards": Operation(
        "sellGiftCard",
        "Sell a gift card",
        "Sell stored value, to a member or to who holds its code. The outlet took the value in and owes it to the"
        " brand, which pays each outlet for what is used there. A receipt sells one gift card for a till and day,"
        " whatever its Idempotency-Key. It earns nothing: money that is paid by it later does not either.",
        "The gift card that was sold",
        (
            scans.MemberCodeUnknown, scans.ScanUnknown, scans.ScanExpired, staff.StaffUnknown, catalog.RewardUnknown,
            selling.GiftCardNotSold, selling.GiftCardValueWrong, ledger.ReceiptKnown, ledger.TimeOutOfRange,
            ledger.ReceiptInvalid, ledger.AmountAbsurd, guesses.TooManyUnknownCodes,
        ),
    ),
    "/api/v1/gift-cards/{gift_card}/refunds": Operation(
        "refundGiftCard",
        "Take a gift card back",
        "Take a gift card back that this outlet sold, while nothing of it is used: the customer gets the value back. A"
        " second refund changes nothing and says `repeated`.",
        "The gift card that was taken back",
        (rewards.GiftCardUnknown, selling.GiftCardTouched),
        (NO_ADDRESS,),
    ),
    "/api/v1/serial-cards": Operation(
        "sellSerialCard",
        "Sell a serial card",
        "Sell uses that are paid in advance. The outlet took the price in and owes it to the brand, which pays each"
        " outlet for the uses there. A receipt sells one card for a till and day, whatever its Idempotency-Key.",
        "The card that was sold",
        (
            scans.MemberCodeUnknown, scans.ScanUnknown, scans.ScanExpired, staff.StaffUnknown, paying.ProgramUnknown,
            serial.ProgramNotSerial, serial.SerialPriceWrong, ledger.ReceiptKnown, ledger.TimeOutOfRange,
            ledger.ReceiptInvalid, ledger.AmountAbsurd, guesses.TooManyUnknownCodes,
        ),
    ),
    "/api/v1/serial-cards/uses": Operation(
        "useSerialCard",
        "Use a serial card",
        "Use some of what a member has paid in advance, from the card that ends soonest. Each use is settled at its"
        " share of the card's price. The last use of a card may bring a credit for its speed.",
        "What was used",
        (
            scans.ScanUnknown, scans.ScanExpired, scans.RedeemNotAllowed, paying.ProgramUnknown,
            serial.ProgramNotSerial, serial.UsesTooFew, serial.SerialCardSoldLater,
        ),
    ),
    "/api/v1/serial-cards/uses/{serial_use}/reversals": Operation(
        "reverseSerialUse",
        "Take uses back",
        "Undo uses at this outlet: the member has them again, and the outlet is not paid. A credit that the card had"
        " brought is taken back too; what was spent of it is a debt. A second reversal changes nothing and says"
        " `repeated`.",
        "The uses count no more",
        (serial.SerialUseUnknown,),
        (NO_ADDRESS,),
    ),
    "/api/v1/serial-cards/{serial_card}/refunds": Operation(
        "refundSerialCard",
        "Take a serial card back",
        "Take a card back that this outlet sold, while nothing of it is used: the customer gets the price back. A"
        " second refund changes nothing and says `repeated`.",
        "The card that was taken back",
        (serial.SerialCardUnknown, serial.SerialCardTouched),
        (NO_ADDRESS,),
    ),
}  # fmt: skip
