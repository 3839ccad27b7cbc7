"""What the doors ask of the wallet: a member's passes to take, and what is known of them."""

from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app.cards import views
from app.cards.views import Card
from app.core.db import brand_of
from app.core.errors import Conflict, NotFound
from app.core.i18n import gettext as _
from app.core.runtime import Runtime
from app.members import lookup
from app.members.models import Member
from app.network import service as network
from app.rewards.models import Coupon
from app.wallet import serve
from app.wallet.certificates import is_apples
from app.wallet.google import ServiceAccountUnusable
from app.wallet.models import WalletPass, WalletRegistration
from app.wallet.rows import ensure_pass, find_pass
from app.wallet.serve import PassFile
from app.wallet.signer import SignerError
from app.wallet.tools import Tools

__all__ = [
    "Available", "CardUnknown", "CouponOver", "PassFile", "added", "apple_pass", "available", "coupon_pass",
    "ensure_pass", "find_pass", "is_self_made",
]  # fmt: skip


class CardUnknown(NotFound):
    """The brand has no such program, or the member no such coupon."""

    code = "card_unknown"


class CouponOver(Conflict):
    """The coupon cannot be used any more, so there is no pass to take."""

    code = "coupon_over"


@dataclass(frozen=True)
class Available:
    """Which wallets can be offered now."""

    apple: bool
    google: bool


def available(session: Session, runtime: Runtime) -> Available:
    """Tell which wallets work: a certificate or service account that is missing or bad takes its button away."""
    tools = Tools.of(runtime)
    apple = google = True
    try:
        tools.signer(session)
    except SignerError:
        apple = False
    try:
        tools.account(session)
    except ServiceAccountUnusable:
        google = False
    return Available(apple, google)


def is_self_made(session: Session, runtime: Runtime) -> bool:
    """Tell whether passes are signed by a chain that is not Apple's, so that no phone accepts them."""
    try:
        return not is_apples(Tools.of(runtime).signer(session).certificate)
    except SignerError:
        return False


def apple_pass(session: Session, runtime: Runtime, member: Member, *, program_slug: str | None = None) -> PassFile:
    """Return a member's signed card for Apple Wallet; the same serial on every phone.

    Args:
        session: one that only reads: what has to be written is written in short units of their own.
        program_slug: which card; left out, the brand's first.

    Raises:
        SignerError: the certificate is missing or bad, by name; an unsigned pass is never made.
        CardUnknown: the brand has no such program.

    Source: wallet.md, "Apple pass".
    """
    signer = Tools.of(runtime).signer(session)  # before the row: a pass that cannot be signed leaves nothing behind
    card = card_of(session, member, program_slug)
    brand = network.brand_by_id(session, member.brand_id)
    row = row_of(session, runtime, member_id=member.id, program_id=card.program.id)
    return serve.download(session, runtime, row, signer, f"{brand.slug}-{card.program.slug}.pkpass")


def coupon_pass(session: Session, runtime: Runtime, member: Member, public_id: str) -> PassFile:
    """Return a coupon's own signed pass for Apple Wallet.

    Raises:
        SignerError: as `apple_pass`.
        CardUnknown: it is not this member's.
        CouponOver: it was used, taken back or has expired, and no phone has its pass.
    """
    signer = Tools.of(runtime).signer(session)
    coupon = session.scalar(select(Coupon).where(Coupon.public_id == public_id, Coupon.member_id == member.id))
    if coupon is None:
        raise CardUnknown(_("There is no such coupon."))
    known = find_pass(session, member_id=member.id, kind="apple", coupon_id=coupon.id)
    if coupon.state != "issued" and known is None:
        raise CouponOver(_("This coupon cannot be used any more."))
    brand = network.brand_by_id(session, member.brand_id)
    row = row_of(session, runtime, member_id=member.id, coupon_id=coupon.id)
    return serve.download(session, runtime, row, signer, f"{brand.slug}-coupon-{coupon.last_four.lower()}.pkpass")


def added(session: Session, member_id: int) -> frozenset[str]:
    """Return in which wallets the member's cards are: a phone registered, or Google called back."""
    on_phone = exists().where(WalletRegistration.pass_id == WalletPass.id)
    mine = select(WalletPass.kind, WalletPass.added_at, WalletPass.removed_at, on_phone).where(
        WalletPass.member_id.in_(lookup.family(session, member_id)), WalletPass.program_id.is_not(None)
    )
    return frozenset(
        kind
        for kind, added_at, removed_at, registered in session.execute(mine)
        if (registered if kind == "apple" else added_at is not None and removed_at is None)
    )


def card_of(session: Session, member: Member, slug: str | None) -> Card:
    """Return a member's card by its program; the brand's first without one. Raises CardUnknown."""
    for card in views.cards(session, member.id):
        if slug in (None, card.program.slug):
            return card
    raise CardUnknown(_("There is no such card."))


def row_of(
    session: Session, runtime: Runtime, *, member_id: int, program_id: int | None = None, coupon_id: int | None = None
) -> WalletPass:
    """Return the row of an Apple pass; the first download makes it, in a short unit of its own.

    A download is a GET, whose session cannot write; the pass is then drawn and signed without holding SQLite's one
    write lock.
    """
    found = find_pass(session, member_id=member_id, kind="apple", program_id=program_id, coupon_id=coupon_id)
    if found is not None:
        return found
    with runtime.database.unit(brand_of(session)) as writing:
        return ensure_pass(writing, member_id=member_id, kind="apple", program_id=program_id, coupon_id=coupon_id)
