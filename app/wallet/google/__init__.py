"""Google Wallet: accounts, payloads, save links, its API and its callbacks. Pure: no database."""

from app.wallet.google.account import ServiceAccount, ServiceAccountUnusable
from app.wallet.google.payloads import class_payload, kind_of, message_payload, object_payload
from app.wallet.google.rest import ANSWER_LOST, GoogleClient, NoToken, TokenSource, Upsert, Upserted
from app.wallet.google.save import (
    MAX_LINK,
    SAVE_URL,
    SHORT_LINK,
    LinkTooLong,
    Saved,
    cut,
    id_link,
    loyalty_class,
    loyalty_object,
    save_link,
)

__all__ = [
    "ANSWER_LOST", "MAX_LINK", "SAVE_URL", "SHORT_LINK", "GoogleClient", "LinkTooLong", "NoToken", "Saved",
    "ServiceAccount", "ServiceAccountUnusable", "TokenSource", "Upsert", "Upserted", "class_payload", "cut", "id_link",
    "kind_of", "loyalty_class", "loyalty_object", "message_payload", "object_payload", "save_link",
]  # fmt: skip
