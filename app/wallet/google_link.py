"""The address at Google that saves a member's card: the card is made there first, then the link names it."""

import hashlib
import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import views
from app.cards.views import Card
from app.core import clock, i18n
from app.core.db import keyring
from app.core.runtime import Runtime
from app.members.models import Member
from app.network import service as network
from app.network.models import Brand
from app.wallet import marks, objects, service
from app.wallet.google import Saved, ServiceAccount, id_link, loyalty_class
from app.wallet.google import save_link as fat_link
from app.wallet.model import CardView
from app.wallet.models import WalletPass
from app.wallet.shown import Reader
from app.wallet.templates import Template
from app.wallet.tools import Tools

SECONDS = 4  # that Google has while a member waits for the page
LOOK_NAME = 20  # characters of the slugs in a class's name, which a fat link holds twice


def save_link(runtime: Runtime, *, brand_id: int, member_id: int, program_slug: str | None = None) -> str:
    """Return the address that saves a card with its coupons. No unit of the caller's may be open.

    Where Google's API cannot be reached or refuses us, the whole card travels slim inside the link.

    Raises:
        ServiceAccountUnusable: the service account is missing or bad.
        LinkTooLong: the card's names do not fit in a link.
        CardUnknown: the brand has no such program.

    Source: wallet.md, "Google".
    """
    with runtime.database.unit(brand_id) as session:
        member = session.get_one(Member, member_id)
        Tools.of(runtime).account(session)
        card = service.card_of(session, member, program_slug)
        row = service.ensure_pass(session, member_id=member.id, kind="google", program_id=card.program.id)
        row.asked_at, row.removed_at = clock.now(), None
        session.flush()
        marks.refresh(session, runtime, member.id)
        rounds = objects.claim(session, runtime, only=_ids(session, member))
    sent = objects.send(runtime, rounds, seconds=SECONDS)
    with runtime.database.unit(brand_id) as session:
        objects.finish(session, rounds, sent)
    with runtime.database.reading(brand_id) as session:
        return _link(session, runtime, session.get_one(Member, member_id), card)


def _ids(session: Session, member: Member) -> list[int]:
    family = views.family(session, member.id)
    wanted = select(WalletPass.id).where(WalletPass.kind == "google", WalletPass.member_id.in_(family))
    return list(session.scalars(wanted))


def _link(session: Session, runtime: Runtime, member: Member, card: Card) -> str:
    account = Tools.of(runtime).account(session)
    origins = [runtime.settings.base_url]
    row = service.find_pass(session, member_id=member.id, kind="google", program_id=card.program.id)
    reader = Reader(session, runtime, member)
    if row is not None and row.synced:
        return id_link(account, loyalty=[row.serial], offers=reader.linked, origins=origins)
    if row is None:
        raise service.CardUnknown(i18n.gettext("There is no such card."))
    return _whole(session, reader, row, card, account)


def _whole(session: Session, reader: Reader, row: WalletPass, card: Card, account: ServiceAccount) -> str:
    """Return the link that holds the card itself."""
    member = reader.member
    with i18n.use_language(member.language):
        shown = reader.card(row, card)
    view = shown.view
    assert isinstance(view, CardView)  # noqa: S101  for the type alone: `card` makes no other
    brand = network.brand_by_id(session, member.brand_id)
    look = look_name(shown.template, view, brand, card)
    saved = Saved(look, row.serial, keyring(session).decrypt(member.totp_secret))
    return fat_link(account, shown.template, view, saved=saved, origins=[reader.base_url])


def look_name(template: Template, view: CardView, brand: Brand, card: Card) -> str:
    """Return the class's name. Google keeps the first content it sees under a name, so new content has a new one."""
    shown = json.dumps(loyalty_class(template, view, issuer_id="", look=""), sort_keys=True)
    slugs = f"{brand.slug}.{card.program.slug}"
    return f"{slugs[:LOOK_NAME]}.{hashlib.sha256(f'{slugs} {shown}'.encode()).hexdigest()[:8]}"
