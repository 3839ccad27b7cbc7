"""The link of a brand and a member with the longest names that the service takes."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.cards.models import Program
from app.fakes.wallet_chain import ISSUER_ID
from app.members.models import Member
from app.network.models import Brand
from app.wallet.google import MAX_LINK
from tests.wallet.shop import Shop
from tests.wallet.test_service import card_of


def test_longest_slugs_and_names_have_a_google_link(small: Shop) -> None:
    def lengthen(session: Session) -> None:
        session.execute(update(Brand).values(slug="b" * 30, name="Ä" * 30))
        session.execute(update(Program).values(slug="p" * 40))
        session.execute(update(Member).values(first_name="Ä" * 60))

    small.change(lengthen)

    link = small.google()

    assert len(link) <= MAX_LINK
    assert len(card_of(link)["classId"]) <= len(ISSUER_ID) + 30
