"""Till keys: shown once, replaced, revoked, and never another brand's."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import sessions
from app.core.db import Database
from app.network import tills
from app.network.models import Till
from tests.builders import a_brand, a_till


def test_a_new_key_finds_its_till_and_is_not_kept(session: Session) -> None:
    till = a_till(session)

    key = tills.new_till_key(session, till)

    assert tills.till_by_key(session, key) is till
    assert len(key) >= 32 + len(tills.PREFIX)  # 192 bits in base64
    assert till.key_hash is not None
    assert key not in till.key_hash


def test_a_new_key_ends_the_old_one_and_its_log_ins(session: Session) -> None:
    till = a_till(session)
    old = tills.new_till_key(session, till)
    token = sessions.start(session, door=tills.DOOR, subject_id=till.id, lasts=timedelta(hours=1))

    new = tills.new_till_key(session, till)

    assert tills.till_by_key(session, new) is till
    assert sessions.find(session, token, door=tills.DOOR) is None
    with pytest.raises(tills.TillKeyUnknown):
        tills.till_by_key(session, old)


def test_a_revoked_till_is_refused_at_once_until_it_gets_a_new_key(session: Session) -> None:
    till = a_till(session)
    key = tills.new_till_key(session, till)

    tills.revoke_till_key(session, till)

    with pytest.raises(tills.TillKeyUnknown):
        tills.till_by_key(session, key)
    with pytest.raises(tills.TillKeyUnknown):
        tills.till_place(session, till.id)
    assert tills.till_by_key(session, tills.new_till_key(session, till)) is till


@pytest.mark.parametrize("key", ["", " ", "till_", "x" * 5000, "\x00", "till_ä"])
def test_what_is_no_key_is_unknown(session: Session, key: str) -> None:
    with pytest.raises(tills.TillKeyUnknown):
        tills.till_by_key(session, key)


def test_a_key_names_its_brand_and_opens_no_other(database: Database) -> None:
    meri, puro = a_brand(database), a_brand(database, "puro")
    with database.unit(puro) as session:
        till = session.scalars(select(Till)).one()
        key = tills.new_till_key(session, till)

    with database.reading() as session:
        assert tills.till_by_key(session, key).brand_id == puro
    with database.reading(puro) as session:
        place = tills.till_place(session, till.id)
        assert (place.till.id, place.outlet.reseller_id) == (till.id, place.reseller.id)
    with database.reading(meri) as session, pytest.raises(tills.TillKeyUnknown):
        tills.till_place(session, till.id)
