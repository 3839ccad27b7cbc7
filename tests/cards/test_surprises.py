"""A surprise is drawn once for a purchase: asking again draws nothing else, and the next purchase draws anew."""

from sqlalchemy import select

from app.cards import rules, service
from app.cards.models import Award
from tests.builders import a_member
from tests.cards.kinds import a_plan
from tests.shop import Shop, a_basket

PICKS = [{"weight": 1, "n": 1}, {"weight": 1, "n": 2}, {"weight": 1, "n": 3}, {"weight": 1, "n": 4}]
PLAN = {"rules": [{"name": "luck", "then": [{"do": "surprise", "picks": PICKS}]}]}


def quoted(shop: Shop) -> int:
    """Return what a purchase would be given now."""
    found = service.quote(shop.session, a_basket(500), member_id=shop.member.id, till=shop.till)
    return found.awards[0].amount


def test_quote_says_what_the_purchase_is_given_then(bare_shop: Shop) -> None:
    a_plan(bare_shop.session, "points", PLAN)
    told, given = [], []

    for _purchase in range(20):
        told.append({quoted(bare_shop) for _again in range(3)})
        given.append(bare_shop.buy(500).awards[0].amount)

    assert told == [{amount} for amount in given]
    assert len(set(given)) > 1


def test_two_members_draw_apart_and_the_seed_is_kept_for_the_check(bare_shop: Shop) -> None:
    a_plan(bare_shop.session, "points", PLAN)
    for _member in range(3):
        bare_shop.buy(500, member=a_member(bare_shop.session))

    awards = bare_shop.session.scalars(select(Award).order_by(Award.id)).all()

    seeds = [award.facts["seed"] for award in awards]
    assert len(set(seeds)) == 3
    weights = [pick["weight"] for pick in PICKS]
    assert [award.amount for award in awards] == [rules.pick(seed, "luck", weights) + 1 for seed in seeds]
