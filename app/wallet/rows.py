"""The rows of passes: made once, found again."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.crypto import new_id, new_token
from app.core.db import brand_of, inserting, keyring
from app.wallet.models import WalletPass

PURPOSE = "wallet pass"  # of the hash that finds a token
ONE_EACH = {
    "program_id": ["brand_id", "member_id", "program_id", "kind"], "coupon_id": ["brand_id", "coupon_id", "kind"],
}  # fmt: skip


def ensure_pass(
    session: Session, *, member_id: int, kind: str, program_id: int | None = None, coupon_id: int | None = None
) -> WalletPass:
    """Return a member's pass of a card or a coupon, made the first time; of two requests at once, both get the one row.

    Args:
        session: one that writes.
        kind: apple or google.
    """
    found = find_pass(session, member_id=member_id, kind=kind, program_id=program_id, coupon_id=coupon_id)
    if found is None:
        insert_pass(session, member_id=member_id, kind=kind, program_id=program_id, coupon_id=coupon_id)
        found = session.scalars(_wanted(member_id, kind, program_id, coupon_id)).one()  # or whoever was faster's
    return found


def find_pass(
    session: Session, *, member_id: int, kind: str, program_id: int | None = None, coupon_id: int | None = None
) -> WalletPass | None:
    """Return a member's pass, if it was ever downloaded. A coupon's is found by the coupon, whoever has it now."""
    return session.scalar(_wanted(member_id, kind, program_id, coupon_id))


def insert_pass(
    session: Session,
    *,
    member_id: int,
    kind: str,
    program_id: int | None = None,
    coupon_id: int | None = None,
    asked: bool = False,
) -> None:
    """Write a pass's row unless it is there; `asked` says that Google is to have the object at once."""
    now, keys = clock.now(), keyring(session)
    token = new_token() if kind == "apple" else None
    values = {
        "brand_id": brand_of(session), "member_id": member_id, "program_id": program_id, "coupon_id": coupon_id,
        "kind": kind, "serial": new_id(now), "made_at": now, "last_modified": now.replace(microsecond=0),
        "token": keys.encrypt(token) if token else None, "token_hash": keys.lookup(PURPOSE, token) if token else None,
        "asked_at": now if asked else None,
    }  # fmt: skip
    insert = inserting(session)
    one_each = ONE_EACH["coupon_id" if coupon_id else "program_id"]
    session.execute(insert(WalletPass).values(values).on_conflict_do_nothing(index_elements=one_each))


def _wanted(member_id: int, kind: str, program_id: int | None, coupon_id: int | None) -> Select[WalletPass]:
    wanted = select(WalletPass).where(WalletPass.kind == kind)
    if coupon_id is not None:
        return wanted.where(WalletPass.coupon_id == coupon_id)
    return wanted.where(WalletPass.member_id == member_id, WalletPass.program_id == program_id)
