"""Google's callbacks, the database side: who saved a card, who removed it. Each counts once."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import brand_of, inserting, keyring
from app.core.events import emit
from app.core.runtime import Runtime
from app.wallet.events import ObjectsDue
from app.wallet.google.callbacks import Callback
from app.wallet.google.keys import RootKeys
from app.wallet.models import WalletNonce, WalletPass
from app.wallet.outgoing import outbound
from app.wallet.tools import Tools

_KEYS = "wallet_google_keys"  # where the runtime keeps Google's keys
_NONCE = "wallet nonce"


def read(runtime: Runtime, brand_id: int, body: bytes) -> Callback:
    """Return a callback that Google signed for this brand's issuer; no unit is open while Google's keys are fetched.

    Raises:
        CallbackRefused: it is not Google's, not for us, or too old.
        CallbackKeysUnavailable: Google's keys cannot be had now.
        ServiceAccountUnusable: the brand has no account at Google.
    """
    with runtime.database.reading(brand_id) as session:
        issuer = Tools.of(runtime).account(session).issuer_id
    keys: RootKeys = runtime.shared.setdefault(_KEYS, RootKeys(outbound(runtime)))
    return keys.verify(body, issuer_id=issuer, now=clock.now())


def take(session: Session, callback: Callback) -> bool:
    """Note that a card was saved or removed; False when this callback was taken before, or names no pass of ours."""
    insert = inserting(session)
    nonce = {
        "brand_id": brand_of(session), "nonce_hash": keyring(session).lookup(_NONCE, callback.nonce),
        "ends_at": callback.expires_at,
    }  # fmt: skip
    new = session.scalar(
        insert(WalletNonce)
        .values(nonce)
        .on_conflict_do_nothing(index_elements=["brand_id", "nonce_hash"])
        .returning(WalletNonce.id)
    )
    if new is None:
        return False
    serial = callback.object_id.partition(".")[2]
    row = session.scalar(
        select(WalletPass)
        .where(WalletPass.serial == serial, WalletPass.kind == "google")
        .with_for_update(key_share=True)
    )
    if row is None:
        return False
    if callback.event == "save":
        row.added_at, row.removed_at, row.saves = clock.now(), None, row.saves + 1
        row.asked_at = row.asked_at or clock.now()
        if row.version > row.synced:  # it changed while nobody had it
            emit(session, ObjectsDue(brand_id=row.brand_id))
    else:
        row.removals += 1
        if row.removals >= row.saves:  # else it is still in another account's wallet: that of a new phone
            row.removed_at = clock.now()
    session.flush()
    return True
