"""The welcome gift: once for each contact, for ever."""

from sqlalchemy.orm import Session

from app.core.db import brand_of
from app.network.models import Brand
from app.rewards import service
from tests.builders import a_member
from tests.shop import Shop, a_reward, a_shop


def test_gift_is_given_once_for_each_contact_whoever_has_it_now(shop: Shop) -> None:
    shop.session.get_one(Brand, brand_of(shop.session)).welcome_reward_id = a_reward(shop.session, "bun").id
    other = a_member(shop.session)

    given = [
        service.give_welcome(shop.session, member_id=member.id, contact=contact)
        for member, contact in (
            (shop.member, "aino@example.com"),
            (shop.member, "aino@example.com"),
            (other, "aino@example.com"),
            (other, "eino@example.com"),
        )
    ]

    assert [gift is not None for gift in given] == [True, False, False, True]
    assert (shop.states(), shop.states(other)) == (["issued"], ["issued"])


def test_brand_without_a_gift_gives_none_and_remembers_nobody(session: Session) -> None:
    shop = a_shop(session)
    assert service.give_welcome(session, member_id=shop.member.id, contact="aino@example.com") is None

    session.get_one(Brand, brand_of(session)).welcome_reward_id = a_reward(session, "bun").id

    assert service.give_welcome(session, member_id=shop.member.id, contact="aino@example.com") is not None
