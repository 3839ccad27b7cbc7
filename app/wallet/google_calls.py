"""Google's callbacks, the database side: who saved a card, who removed it. Each counts once."""

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import brand_of, keyring
from app.core.runtime import Runtime
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
    insert = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
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
    else:
        row.removed_at, row.removals = clock.now(), row.removals + 1
    session.flush()
    return True
