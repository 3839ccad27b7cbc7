"""Google's classes: one for each program and reward, in the brand's own language, patched when the look changes."""

import hashlib
import json
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.crypto import random_symbols
from app.core.db import brand_of, inserting
from app.core.runtime import Runtime
from app.network.models import Brand
from app.rewards.models import Coupon
from app.wallet.google import ServiceAccount, Upsert, class_payload, kind_of
from app.wallet.models import WalletClass, WalletPass
from app.wallet.shown import Shown

SLUG = 20  # characters of the brand's in a class's name
NAME = 8  # random symbols of a class's name: short, since a name is never seen and stands in every object


@dataclass(frozen=True)
class ClassDue:
    """A class as it should be; `changed` tells whether Google has it so already."""

    row_id: int
    name: str
    kind: str
    fingerprint: str
    upsert: Upsert
    changed: bool


def of(session: Session, runtime: Runtime, row: WalletPass, shown: Shown, account: ServiceAccount) -> ClassDue:
    """Return the class of a pass.

    Args:
        shown: what the pass shows in the brand's own language: members of all languages share the class.
    """
    brand = session.get_one(Brand, row.brand_id)
    found = _row(session, row, account)
    payload = class_payload(
        shown.template, shown.view, issuer_id=account.issuer_id, class_name=found.name,
        callback_url=callback_url(runtime, brand),
    )  # fmt: skip
    fingerprint = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
    kind = kind_of(shown.template)
    upsert = Upsert(kind, "class", payload)
    return ClassDue(found.id, found.name, kind, fingerprint, upsert, found.fingerprint != fingerprint)


def synced(session: Session, due: ClassDue) -> None:
    """Note that Google has a class as it should be."""
    row = session.get(WalletClass, due.row_id)
    if row is not None:
        row.fingerprint = due.fingerprint


def callback_url(runtime: Runtime, brand: Brand) -> str:
    """Return where Google tells of saves and removals; it only calls https."""
    return f"{runtime.settings.base_url}/hooks/google/{brand.slug}"


def name_of(session: Session, row: WalletPass, account: ServiceAccount) -> str:
    """Return the name of a pass's class without the issuer; it never changes while the issuer stays."""
    return _row(session, row, account).name


def _row(session: Session, row: WalletPass, account: ServiceAccount) -> WalletClass:
    """Return the class's row; another issuer has none of our classes yet, so its name is drawn anew."""
    brand = session.get_one(Brand, row.brand_id)
    which = {"program_id": row.program_id, "reward_id": None}
    if row.coupon_id is not None:
        which = {"program_id": None, "reward_id": session.get_one(Coupon, row.coupon_id).reward_id}
    wanted = select(WalletClass).filter_by(**which)
    found = session.scalar(wanted)
    if found is None:
        insert = inserting(session)
        values = {
            "brand_id": brand_of(session), **which, "name": _name(brand), "issuer_id": account.issuer_id,
            "fingerprint": "", "made_at": clock.now(),
        }  # fmt: skip
        one_each = ["brand_id", "program_id" if row.program_id else "reward_id"]
        session.execute(insert(WalletClass).values(values).on_conflict_do_nothing(index_elements=one_each))
        found = session.scalars(wanted).one()
    if found.issuer_id != account.issuer_id:
        found.issuer_id, found.name, found.fingerprint = account.issuer_id, _name(brand), ""
        session.flush()
    return found


def _name(brand: Brand) -> str:
    return f"{brand.slug[:SLUG]}.{random_symbols(NAME)}"
