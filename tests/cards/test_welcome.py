"""What joining brings, by the brand's gift and by rules: promised at once, given once for each contact, for ever."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.cards import story, welcome
from app.core.db import brand_of
from app.members.models import Contact
from app.network.models import Brand, Outlet
from app.rewards.models import WelcomeGift
from tests.builders import a_member, a_proved_member
from tests.cards.kinds import a_plan, holds
from tests.shop import Shop, a_reward, a_shop

JOIN = {"name": "hello", "on": "join", "then": [{"do": "award", "n": 50}, {"do": "issue", "reward": "cup"}]}


def with_a_gift(shop: Shop) -> None:
    """Let the brand give a bun for joining."""
    reward = a_reward(shop.session, "bun", name={"en": "A bun"})
    shop.session.get_one(Brand, brand_of(shop.session)).welcome_reward_id = reward.id


def test_gift_is_given_once_for_each_contact_whoever_has_it_now(shop: Shop) -> None:
    with_a_gift(shop)
    other = a_member(shop.session)

    given = [
        welcome.welcome(shop.session, member, contact=contact)
        for member, contact in (
            (shop.member, "aino@example.com"),
            (shop.member, "aino@example.com"),
            (shop.member, "aino.second@example.com"),
            (other, "aino@example.com"),
            (other, "eino@example.com"),
        )
    ]

    assert [gift is not None for gift in given] == [True, False, False, False, True]
    assert (shop.states(), shop.states(other)) == (["issued"], ["issued"])


def test_brand_without_a_gift_gives_none_and_remembers_nobody(session: Session) -> None:
    shop = a_shop(session)
    assert welcome.welcome(session, shop.member, contact="aino@example.com") is None
    assert (welcome.promised(session), session.scalars(select(WelcomeGift)).all()) == (None, [])

    with_a_gift(shop)

    assert welcome.welcome(session, shop.member, contact="aino@example.com") is not None


def test_rules_for_joining_are_promised_with_the_gift_and_given_with_it(bare_shop: Shop) -> None:
    shop = bare_shop
    with_a_gift(shop)
    program = a_plan(shop.session, "points", {"rules": [JOIN]})
    newcomer = a_member(shop.session, state="provisional")

    promises = [welcome.promised(shop.session, member) for member in (None, newcomer)]
    given = welcome.welcome(shop.session, shop.member, contact="aino@example.com")

    assert [promise and promise.title for promise in promises] == ["A bun + Free coffee + 50 units"] * 2
    assert given is not None
    assert (len(given.runs), holds(shop, program), shop.states()) == (1, (50, 0), ["issued"] * 2)
    assert welcome.promised(shop.session, shop.member) is None
    told = sorted(line.reasons[0] for line in story.story(shop.session, shop.member.id))
    assert told == ["For joining", "For joining", "Welcome gift"]


def test_contact_that_was_erased_and_joins_again_is_given_nothing_more(bare_shop: Shop) -> None:
    shop = bare_shop
    a_plan(shop.session, "points", {"rules": [JOIN]})
    first = a_proved_member(shop.session, "aino@mail.example")
    assert welcome.welcome(shop.session, first, contact="aino@mail.example") is not None
    first.state = "erased"
    shop.session.execute(delete(Contact).where(Contact.member_id == first.id))

    again = a_proved_member(shop.session, "aino@mail.example")

    assert welcome.welcome(shop.session, again, contact="aino@mail.example") is None
    assert shop.states(again) == []


def test_outlet_that_signs_up_may_give_what_others_do_not(bare_shop: Shop) -> None:
    shop = bare_shop
    here = {"outlets": [shop.session.get_one(Outlet, shop.till.outlet_id).slug]}
    program = a_plan(shop.session, "points", {"rules": [{**JOIN, "when": here}]})

    welcome.welcome(shop.session, a_member(shop.session), contact="eino@example.com")
    welcome.welcome(shop.session, shop.member, contact="aino@example.com", till=shop.till)

    assert holds(shop, program) == (50, 0)
