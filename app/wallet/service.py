"""A member's card for Apple Wallet and Google Wallet: the same pass on each download, built when it is asked for."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from cryptography.x509.oid import NameOID
from sqlalchemy import Select, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.cards import views
from app.cards.views import Card
from app.core import clock, i18n
from app.core.crypto import new_id, new_token
from app.core.db import brand_of, keyring
from app.core.errors import NotFound
from app.core.i18n import gettext as _
from app.core.runtime import Runtime
from app.members.models import Member
from app.network import service as network
from app.network.models import Brand
from app.wallet import content
from app.wallet.apple import MEDIA_TYPE, build_pass
from app.wallet.google import Saved, ServiceAccountUnusable, loyalty_class, save_link
from app.wallet.model import CardView
from app.wallet.models import WalletPass
from app.wallet.signer import SignerError
from app.wallet.templates import Template
from app.wallet.tools import Tools

TEMPLATE = "stamp-card"
PURPOSE = "wallet pass"  # of the hash that finds a token
NEAR = 200  # meters around an outlet within which a phone offers the pass
LOOK_NAME = 20  # characters of the slugs in a class's name, which a save link holds twice
APPLE = "Apple Inc."  # who issues the certificates that phones trust


class CardUnknown(NotFound):
    """The brand has no such program."""

    code = "card_unknown"


@dataclass(frozen=True)
class PassFile:
    """A signed `.pkpass`. It shows this moment: answer it with `no-store`, and never with 304 by `last_modified`."""

    body: bytes
    media_type: str
    filename: str
    last_modified: datetime  # the one of the last change that phones were told of


@dataclass(frozen=True)
class Available:
    """Which wallets can be offered now."""

    apple: bool
    google: bool


def available(runtime: Runtime) -> Available:
    """Tell which wallets work: a certificate or service account that is missing or bad takes its button away."""
    tools = Tools.of(runtime)
    apple = google = True
    try:
        tools.signer()
    except SignerError:
        apple = False
    try:
        tools.account()
    except ServiceAccountUnusable:
        google = False
    return Available(apple, google)


def is_self_made(runtime: Runtime) -> bool:
    """Tell whether passes are signed by a chain that is not Apple's, so that no phone accepts them."""
    try:
        issuer = Tools.of(runtime).signer().certificate.issuer
    except SignerError:
        return False
    return all(name.value != APPLE for name in issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))


def apple_pass(session: Session, runtime: Runtime, member: Member, *, program_slug: str | None = None) -> PassFile:
    """Return a member's signed pass for Apple Wallet.

    Args:
        session: a reading one will do; see `_pass_of`.
        program_slug: which card; left out, the brand's first.

    Raises:
        SignerError: the certificate is missing or bad, by name; an unsigned pass is never made.
        CardUnknown: the brand has no such program.

    Source: wallet.md, "Apple pass".
    """
    tools = Tools.of(runtime)
    signer = tools.signer()  # before the row: a pass that cannot be signed leaves nothing behind
    card = _card(session, member, program_slug)
    brand = network.brand_by_id(session, member.brand_id)
    row = _pass_of(session, runtime, member, card.program.id, "apple")
    with i18n.use_language(member.language):
        view = content.card_view(session, member, card, brand=brand, base_url=runtime.settings.base_url)
        places = content.places(session, member)
    template = tools.templates[TEMPLATE]
    made = build_pass(template, view, signer=signer, serial=row.serial, places=places, max_distance=NEAR)
    return PassFile(made, MEDIA_TYPE, f"{brand.slug}-{card.program.slug}.pkpass", row.last_modified)


def google_link(session: Session, runtime: Runtime, member: Member, *, program_slug: str | None = None) -> str:
    """Return the address at Google that saves a member's card, with the member's own rotating barcode.

    Raises:
        ServiceAccountUnusable: the service account is missing or bad.
        LinkTooLong: the card's names do not fit in a link.
        CardUnknown: the brand has no such program.

    Source: wallet.md, "Google".
    """
    tools = Tools.of(runtime)
    account = tools.account()
    card = _card(session, member, program_slug)
    brand = network.brand_by_id(session, member.brand_id)
    row = _pass_of(session, runtime, member, card.program.id, "google")
    template, base_url = tools.templates[TEMPLATE], runtime.settings.base_url
    with i18n.use_language(member.language):
        view = content.card_view(session, member, card, brand=brand, base_url=base_url)
    look = _look(template, view, brand, card)
    saved = Saved(look, row.serial, keyring(session).decrypt(member.totp_secret))
    return save_link(account, template, view, saved=saved, origins=[base_url])


def ensure_pass(session: Session, *, member_id: int, program_id: int, kind: str) -> WalletPass:
    """Return a member's pass, made the first time; of two requests at once, both get the one row.

    Args:
        session: one that writes.
        kind: apple or google.
    """
    found = find_pass(session, member_id=member_id, program_id=program_id, kind=kind)
    if found is not None:
        return found
    now, keys = clock.now(), keyring(session)
    token = new_token() if kind == "apple" else None
    values = {
        "brand_id": brand_of(session), "member_id": member_id, "program_id": program_id, "kind": kind,
        "serial": new_id(now), "made_at": now, "last_modified": now,
        "token": keys.encrypt(token) if token else None, "token_hash": keys.lookup(PURPOSE, token) if token else None,
    }  # fmt: skip
    insert = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    one_each = ["brand_id", "member_id", "program_id", "kind"]
    session.execute(insert(WalletPass).values(values).on_conflict_do_nothing(index_elements=one_each))
    return session.scalars(_wanted(member_id, program_id, kind)).one()  # whoever was faster has committed by now


def find_pass(session: Session, *, member_id: int, program_id: int, kind: str) -> WalletPass | None:
    """Return a member's pass, if it was ever downloaded."""
    return session.scalar(_wanted(member_id, program_id, kind))


def _wanted(member_id: int, program_id: int, kind: str) -> Select[WalletPass]:
    return select(WalletPass).where(
        WalletPass.member_id == member_id, WalletPass.program_id == program_id, WalletPass.kind == kind
    )


def _pass_of(session: Session, runtime: Runtime, member: Member, program_id: int, kind: str) -> WalletPass:
    """Return the pass's row; the first download makes it.

    A download is a GET, whose session cannot write: the row is then made in a short unit of its own, so that the
    pass is drawn and signed without holding SQLite's one write lock.
    """
    which = {"member_id": member.id, "program_id": program_id}
    found = find_pass(session, **which, kind=kind)
    if found is not None:
        return found
    if not session.get_bind().get_execution_options().get("leima_read"):
        return ensure_pass(session, **which, kind=kind)
    with runtime.database.unit(brand_of(session)) as writing:
        return ensure_pass(writing, **which, kind=kind)


def _card(session: Session, member: Member, slug: str | None) -> Card:
    for card in views.cards(session, member.id):
        if slug in (None, card.program.slug):
            return card
    raise CardUnknown(_("There is no such card."))


def _look(template: Template, view: CardView, brand: Brand, card: Card) -> str:
    """Return the class's name. Google keeps the first content it sees under a name, so new content has a new one."""
    shown = json.dumps(loyalty_class(template, view, issuer_id="", look=""), sort_keys=True)
    slugs = f"{brand.slug}.{card.program.slug}"
    return f"{slugs[:LOOK_NAME]}.{hashlib.sha256(f'{slugs} {shown}'.encode()).hexdigest()[:8]}"
