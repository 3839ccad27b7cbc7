"""Managers' PINs: few digits, so an HMAC by the service's own secret, and one answer for every refusal."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from app.core import clock
from app.network import pins
from app.network.models import Reseller, Staff
from tests.builders import an_outlet

PIN = "2468"


def a_manager(session: Session, email: str = "jari@kulma.example", role: str = "reseller_manager") -> Staff:
    reseller_id = an_outlet(session).reseller_id if role in ("reseller_manager", "cashier") else None
    person = Staff(email=email, name="Jari", role=role, reseller_id=reseller_id)
    session.add(person)
    session.flush()
    return person


def test_pin_is_kept_as_a_hash_of_its_own_for_each_person(session: Session) -> None:
    people = [a_manager(session, f"{name}@kulma.example") for name in ("jari", "mari")]

    for person in people:
        pins.set_pin(session, person, PIN)

    hashes = {person.pin_hash for person in people}
    assert len(hashes) == 2
    assert all(PIN not in str(one) for one in hashes)


@pytest.mark.parametrize("pin", ["", "123", "1234567", "12a4", "١٢٣٤"])
def test_pin_has_4_to_6_digits(session: Session, pin: str) -> None:
    with pytest.raises(pins.PinInvalid):
        pins.set_pin(session, a_manager(session), pin)


@pytest.mark.parametrize("role", ["cashier", "marketing", "finance", "sales"])
def test_only_managers_have_a_pin(session: Session, role: str) -> None:
    with pytest.raises(pins.PinInvalid):
        pins.set_pin(session, a_manager(session, role=role), PIN)


def test_managers_approve_at_their_own_resellers_and_administrators_everywhere(session: Session) -> None:
    manager, admin = a_manager(session), a_manager(session, "iida@meri.example", "brand_admin")
    for person in (manager, admin):
        pins.set_pin(session, person, PIN)
    own = manager.reseller_id
    other = session.get_one(Reseller, an_outlet(session).reseller_id).id
    assert own is not None

    assert pins.check_pin(session, manager.public_id, PIN, reseller_id=own) is manager
    assert pins.check_pin(session, admin.public_id, PIN, reseller_id=other) is admin
    with pytest.raises(pins.ApprovalRefused):
        pins.check_pin(session, manager.public_id, PIN, reseller_id=other)


def test_every_refusal_is_the_same(session: Session) -> None:
    manager, fresh = a_manager(session), a_manager(session, "mari@kulma.example")
    pins.set_pin(session, manager, PIN)
    asked = [(manager.public_id, "1357"), (fresh.public_id, PIN), (fresh.public_id, ""), ("nobody", PIN)]
    messages = set()

    def ask(public_id: str, pin: str) -> None:
        for reseller_id in (manager.reseller_id, fresh.reseller_id):
            with pytest.raises(pins.ApprovalRefused) as refused:
                pins.check_pin(session, public_id, pin, reseller_id=reseller_id or 0)
            messages.add(refused.value.message)

    for public_id, pin in asked:
        ask(public_id, pin)
    manager.ended_at = clock.now() - timedelta(seconds=1)
    ask(manager.public_id, PIN)

    assert len(messages) == 1
