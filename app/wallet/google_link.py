"""The address at Google that saves a member's card: the card is made there first, then the link names it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards.views import Card
from app.core import clock, i18n
from app.core.db import keyring
from app.core.runtime import Runtime
from app.members import lookup
from app.members.models import Member
from app.wallet import classes, marks, objects, service
from app.wallet.google import Saved, ServiceAccount, id_link
from app.wallet.google import save_link as fat_link
from app.wallet.model import CardView
from app.wallet.models import WalletPass
from app.wallet.shown import Reader
from app.wallet.tools import Tools

SECONDS = 4  # that Google has while a member waits for the page


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
        account = Tools.of(runtime).account(session)
        card = service.card_of(session, member, program_slug)
        row = service.ensure_pass(session, member_id=member.id, kind="google", program_id=card.program.id)
        row.asked_at, row.removed_at = clock.now(), None
        session.flush()
        look = classes.name_of(session, row, account)
        marks.refresh(session, runtime, member.id)
        rounds = objects.claim(session, runtime, only=_ids(session, member))
    sent = objects.send(runtime, rounds, seconds=SECONDS)
    with runtime.database.unit(brand_id) as session:
        objects.finish(session, rounds, sent)
    with runtime.database.reading(brand_id) as session:
        return _link(session, runtime, session.get_one(Member, member_id), card, look)


def _ids(session: Session, member: Member) -> list[int]:
    family = lookup.family(session, member.id)
    wanted = select(WalletPass.id).where(WalletPass.kind == "google", WalletPass.member_id.in_(family))
    return list(session.scalars(wanted))


def _link(session: Session, runtime: Runtime, member: Member, card: Card, look: str) -> str:
    account = Tools.of(runtime).account(session)
    origins = [runtime.settings.base_url]
    row = service.find_pass(session, member_id=member.id, kind="google", program_id=card.program.id)
    reader = Reader(session, runtime, member)
    if row is not None and row.served_at is not None:  # Google has taken it
        return id_link(account, loyalty=[row.serial], offers=reader.linked, origins=origins)
    if row is None:
        raise service.CardUnknown(i18n.gettext("There is no such card."))
    return _whole(session, reader, row, card, account, look)


def _whole(session: Session, reader: Reader, row: WalletPass, card: Card, account: ServiceAccount, look: str) -> str:
    """Return the link that holds the card itself, under the class that the API patches as soon as it can be reached."""
    member = reader.member
    with i18n.use_language(member.language):
        shown = reader.card(row, card)
    view = shown.view
    assert isinstance(view, CardView)  # noqa: S101  for the type alone: `card` makes no other
    saved = Saved(look, row.serial, keyring(session).decrypt(member.totp_secret))
    return fat_link(account, shown.template, view, saved=saved, origins=[reader.base_url])
