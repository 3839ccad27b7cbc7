"""A reward by hand from a member's page: two clicks, and who gave it and why is kept."""

from typing import Any

from flask import Response, g, redirect, request
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from app.core import clock, i18n, web
from app.core.crypto import new_id
from app.core.i18n import gettext as _
from app.doors.brand.door import blueprint
from app.doors.brand.wallet import NotYoursToChange
from app.members.models import Member
from app.reports import register
from app.rewards import catalog
from app.rewards import service as given
from app.rewards.models import Reward

MAY_GIVE = ("brand_admin", "marketing", "sales")


def reasons() -> dict[str, str]:
    """Return why a reward may be given by hand, for people."""
    return {
        "thanks": _("Thanks"), "apology": _("An apology"), "competition": _("A competition"),
        "cardboard_card": _("A cardboard card"), "other": _("Another reason"),
    }  # fmt: skip


def giving() -> dict[str, Any] | None:
    """Return what the form on a member's page needs; None for who may not give."""
    if g.staff.role not in MAY_GIVE:
        return None
    rows = web.session().scalars(select(Reward).order_by(Reward.slug))
    # A form's key makes its second click harmless.
    return {
        "rewards": [(row.slug, i18n.pick(row.name)) for row in rows], "reasons": reasons(), "key": new_id(clock.now()),
        "notice": _("Given. It is on the member’s card now.") if request.args.get("done") == "given" else "",
    }  # fmt: skip


@blueprint.post("/members/<public_id>/grant")
def grant_reward(public_id: str) -> Response | BaseResponse:
    """Give a reward by hand; the same form twice gives once."""
    if g.staff.role not in MAY_GIVE:
        raise NotYoursToChange(_("Only marketing, sales and administrators may give rewards."))
    session = web.session()
    if not public_id.isalnum() or not public_id.isascii():
        raise register.MemberUnknown(_("There is no such member."))
    member: Member = register.find(session, public_id)
    reward = catalog.find(session, request.form.get("reward", "")[:40])
    key = request.form.get("key", "")
    given.grant(
        session, member, reward, staff=g.staff, reason=request.form.get("reason", ""),
        key=key if len(key) == 26 and key.isalnum() else None,
    )  # fmt: skip
    return redirect(f"/brand/members/{member.public_id}?done=given", 303)
