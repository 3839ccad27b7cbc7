"""What looks like misuse, for the brand to judge; and the cardboard cards that were moved over."""

from datetime import datetime
from typing import Any

from flask import Response, g, redirect, request
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from app.cards import flags, handed, judging, limits, views
from app.cards.flags import CardboardView, FlagView
from app.cards.models import Program
from app.cards.units import counted
from app.core import i18n, web
from app.core.errors import Forbidden
from app.core.i18n import gettext as _
from app.core.i18n import ngettext
from app.doors.brand.door import blueprint, page
from app.members.models import Member
from app.members.rules import display_name

Units = dict[str, tuple[str, dict[str, list[str]]]]  # program → its kind and its unit's names
MAY_JUDGE = ("brand_admin", "finance")
MOST = 100  # of each list on the page


class NotYoursToJudge(Forbidden):
    """Marketing and sales look at the flags and judge none."""

    code = "not_yours_to_judge"


@blueprint.get("/flags")
def list_flags() -> Response:
    """Show what is to be judged, what was, and the cardboard cards."""
    session = web.session()
    units = {
        slug: (kind, unit) for slug, kind, unit in session.execute(select(Program.slug, Program.kind, Program.unit))
    }
    return page(
        "flags", here="flags", may_judge=g.staff.role in MAY_JUDGE, notice=_notice(),
        waiting=[_flag(view, units) for view in flags.waiting(session, most=MOST)],
        judged=[_flag(view, units) for view in flags.judged(session, most=MOST)],
        cards=[_cardboard(view) for view in flags.cardboard_cards(session, most=MOST)],
    )  # fmt: skip


def _notice() -> str:
    return {
        "approved": _("Approved."),
        "reversed": _("Taken back."),
        "before": _("This was judged before; nothing changed."),
    }.get(request.args.get("done", ""), "")


def _flag(view: FlagView, units: Units) -> dict[str, Any]:
    flag = view.flag
    was_cut = flag.kind in limits.CUTS
    return {
        "id": flag.public_id,
        "member": _member(view.member),
        "what": _what(view),
        "facts": list(filter(None, (view.outlet, view.staff, _amount(view), _would(view, units)))),
        "when": _moment(flag.at),
        "approve": _("Give it after all") if was_cut else _("All is well"),
        "reverse": _("Leave it at nothing") if was_cut else _("Take it back"),
        "state": {"approved": _("approved"), "reversed": _("taken back")}.get(flag.state, ""),
        "tone": {"approved": "granted", "reversed": "withdrawn"}.get(flag.state, "pending"),
        "judge": view.judge,
        "judged": _moment(flag.judged_at) if flag.judged_at else "",
    }


def _member(row: Member) -> dict[str, str]:
    return {"id": row.public_id, "name": display_name(row.first_name, row.last_name)}


def _moment(moment: datetime) -> str:
    return i18n.format_datetime(moment, g.brand.zone)


def _what(view: FlagView) -> str:
    said = view.flag.details
    times, minutes = int(said.get("times", 0)), int(said.get("minutes", 0))
    if view.flag.kind == limits.FAR_APART:
        return ngettext(
            "Bought %(km)s km away at %(outlet)s within a minute",
            "Bought %(km)s km away at %(outlet)s within %(n)s minutes",
            max(minutes, 1), km=i18n.format_number(int(said.get("km", 0))), outlet=view.other_outlet,
        )  # fmt: skip
    return {
        limits.OUTLET_DAY: ngettext(
            "More than one earning purchase at one outlet on one day",
            "More than %(n)s earning purchases at one outlet on one day",
            times,
        ),
        limits.DAY: ngettext(
            "More than one earning purchase on one day", "More than %(n)s earning purchases on one day", times
        ),
        limits.MEMBER_DAY: ngettext(
            "More than one stamp by hand on one day", "More than %(n)s stamps by hand on one day", times
        ),
        limits.CASHIER_HOUR: ngettext(
            "More than one stamp by hand of one cashier within an hour",
            "More than %(n)s stamps by hand of one cashier within an hour",
            times,
        ),
        limits.APPROVAL: _("So much at once without a manager’s approval"),
        limits.OWN_CARD: _("Own card of who stood at the till or approved"),
        limits.OWN_CARD_OFTEN: ngettext(
            "Card of a colleague, once this month", "Card of a colleague, %(n)s times this month", times
        ),
    }[view.flag.kind]


def _amount(view: FlagView) -> str:
    if view.purchase is not None:
        return i18n.format_cents(view.purchase.total_cents)
    return handed.given_for(view.stamp.reason) if view.stamp is not None else ""


def _would(view: FlagView, units: Units) -> str:
    """Say what was not given, of each program; what was approved was given."""
    if view.flag.state == "approved":
        return ""
    told = [
        counted(units[slug][0], amount, views.unit(units[slug][1]))
        for slug, amount in view.flag.details.get("would", {}).items()
        if amount and slug in units
    ]
    return _("not given: %(what)s", what=", ".join(told)) if told else ""


def _cardboard(view: CardboardView) -> dict[str, Any]:
    unit = views.unit(view.program.unit)[0 if view.card.stamps == 1 else 1]
    return {
        "member": _member(view.member),
        "stamps": f"{view.card.stamps} {unit}",
        "program": i18n.pick(view.program.name),
        "outlet": view.outlet,
        "cashier": view.cashier,
        "approver": view.approver,
        "when": _moment(view.card.at),
    }


@blueprint.post("/flags/<public_id>/approve")
def approve_flag(public_id: str) -> BaseResponse:
    """Say that all was well; what a limit had cut is given after all. A second click changes nothing."""
    _demand_role()
    session = web.session()
    done = judging.approve(session, flags.find(session, public_id), by=g.staff)
    return redirect(f"/brand/flags?done={'approved' if done else 'before'}", 303)


@blueprint.post("/flags/<public_id>/reverse")
def reverse_flag(public_id: str) -> BaseResponse:
    """Take back what was given; the purchase stays. A second click changes nothing."""
    _demand_role()
    session = web.session()
    done = judging.reverse(session, flags.find(session, public_id), by=g.staff)
    return redirect(f"/brand/flags?done={'reversed' if done else 'before'}", 303)


def _demand_role() -> None:
    if g.staff.role not in MAY_JUDGE:
        raise NotYoursToJudge(_("Only finance and administrators may judge this."))
