"""The member's tiers: how far it is to the next one, what keeps the one that is held, and what each of them gives."""

from typing import Any

from flask import Response, g

from app.cards import standing
from app.cards.faces import day, face, tier_line, tier_name
from app.cards.standing import Standing
from app.cards.views import Card
from app.core import web
from app.core.i18n import gettext as _
from app.doors.member import standing_words as words
from app.doors.member.card import version
from app.doors.member.home import blueprint, me, shell


@blueprint.get("/tiers")
def tiers() -> Response:
    """Show where the member stands in each program of tiers."""
    session = web.session()
    member = me(session)
    return web.page(
        "member/tiers.html",
        me=shell(session, member),
        etag=version(session, member),
        standings=[_shown(one) for one in standing.standings(session, member.id)],
    )


def _shown(one: Standing) -> dict[str, Any]:
    card = Card(one.program, tier=one.held)
    shown = face(card, g.brand.zone)
    return {
        "name": card.name, "tier": shown.figure, "seal": shown.seal, "until": shown.goal if one.held else "",
        "ahead": words.way_ahead(one.ahead) if one.ahead else None,
        "keep": words.way_to_keep(one, one.keep) if one.keep else None,
        "anew": _("What you buy from %(day)s on counts anew", day=day(one.anew, g.brand.zone)) if one.anew else "",
        "every": [
            {"name": tier_name(tier), "line": tier_line(tier), "held": one.held is not None and tier == one.held.tier}
            for tier in one.program.plan.tiers
        ],
    }  # fmt: skip
