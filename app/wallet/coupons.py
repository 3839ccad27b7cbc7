"""Coupons beside the card: Google's are added by themselves, since a saved card may bring objects along."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.wallet.models import WalletPass
from app.wallet.rows import insert_pass
from app.wallet.shown import Reader


def follow(session: Session, reader: Reader, family: Sequence[int]) -> None:
    """Make an object for each usable coupon of a member whose card was asked for at Google.

    Apple adds no pass unasked: there the member takes each coupon by its button.
    """
    asked = select(WalletPass.id).where(
        WalletPass.member_id.in_(family),
        WalletPass.kind == "google",
        WalletPass.program_id.is_not(None),
        WalletPass.asked_at.is_not(None),
    )
    if session.scalars(asked.limit(1)).first() is None:
        return
    usable = [coupon_id for coupon_id, held in reader.coupons.items() if held.usable]
    known = select(WalletPass.coupon_id).where(WalletPass.kind == "google", WalletPass.coupon_id.in_(usable))
    for coupon_id in sorted(set(usable) - set(session.scalars(known))) if usable else ():
        insert_pass(session, member_id=reader.member.id, kind="google", coupon_id=coupon_id, asked=True)
