"""The signed-in member's blueprint: who it is, and what every page of theirs needs."""

from typing import Any

from flask import Response, g, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from app.core import web
from app.core.errors import Unauthorized
from app.core.i18n import gettext as _
from app.doors import identity
from app.doors.member import language
from app.members import allowing
from app.members.models import Member
from app.members.rules import display_name, initials
from app.rewards import service as rewards

blueprint = web.door("member", __name__, url_prefix="/<slug>")


class SignedOut(Unauthorized):
    """The card's session is over."""

    code = "signed_out"


@blueprint.url_value_preprocessor
def _take_slug(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    g.slug = (values or {}).pop("slug", "")


@blueprint.before_request
def _member() -> Response | BaseResponse | None:
    """Let in who has this brand's card on this phone; others are shown the way in."""
    who = identity.enter("member", slug=g.slug)
    member_id = language.speak(who.subject_id if who else None)
    if member_id is None:
        if request.method in ("GET", "HEAD") and not web.wants_problem() and not request.path.endswith(".pkpass"):
            return redirect(f"/{g.brand.slug}/{'join' if request.path == f'/{g.brand.slug}/' else 'sign-in'}", 303)
        raise SignedOut(_("Please open your card again: you are signed out."))
    g.login_id, g.member_id = who.login_id if who else None, member_id
    return None


def me(session: Session) -> Member:
    """Return the signed-in member in the request's session."""
    return session.get_one(Member, g.member_id)


def shell(session: Session, member: Member) -> dict[str, Any]:
    """Return what the frame of every page shows."""
    ready = sum(view.usable for view in rewards.of_member(session, member.id))
    ready += sum(view.usable for view in rewards.gift_cards_of(session, member.id))
    return {
        "initials": initials(member.first_name, member.last_name),
        "name": display_name(member.first_name, member.last_name),
        "coupons_ready": ready,
        "asked": [question.outlet for question in allowing.questions(session, member)],
    }
