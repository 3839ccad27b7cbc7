"""The first page of the console: the figures of a period, as charts with their tables."""

from datetime import date
from typing import Any

from flask import Response, g, request

from app.cards import units
from app.core import i18n, web
from app.core.i18n import gettext as _
from app.core.i18n import ngettext
from app.doors.brand.door import blueprint, page
from app.reports import changes
from app.reports.charts import DayChart, Figure, OutletChart, by_day, by_outlet
from app.reports.dashboard import LENGTHS, Dashboard
from app.reports.dashboard import dashboard as read

HISTORY = "history"  # of brand.settings: how far the demo's past is loaded
WEEKLY = 90  # days from which a chart of two series shows weeks


@blueprint.get("")
def dashboard() -> Response:
    """Show the figures of 7, 30 or 90 days beside the same time before."""
    wish = request.args.get("days", "")
    days = int(wish) if wish in {str(length) for length in LENGTHS} else 30
    found = read(web.session(), days=days, zone=g.brand.zone)
    return page(
        "dashboard", here="dashboard", days=days, period=_period(found), loading=_loading(),
        sentence=changes.sentence(found), figures=_figures(found, days), stamps=_stamps(found),
        joined=_joined(found), coupons=_coupons(found),
        outlets=_outlets(found), programs=_programs(found),
    )  # fmt: skip


def _period(found: Dashboard) -> str:
    first, last = found.period.days[0], found.period.days[-1]
    return f"{i18n.format_day(first, with_year=first.year != last.year)} – {i18n.format_day(last, with_year=True)}"


def _loading() -> dict[str, Any] | None:
    """Return how far the demo's history is loaded; None when there is none or it is all there."""
    mark = g.brand.settings.get(HISTORY)
    if not isinstance(mark, dict) or not mark.get("of") or mark["done"] >= mark["of"]:
        return None
    return {"done": mark["done"], "total": mark["of"], "text": _("The history of the demo is being loaded")}


def _figures(found: Dashboard, days: int) -> list[Figure]:
    note = ngettext("%(n)s new in %(days)s days", "%(n)s new in %(days)s days", found.joined.value, days=days)
    pairs = [
        (_("Active members"), found.active),
        (_("Stamps given") if found.measure == "stamps" else _("Purchases"), found.stamps),
        (_("Coupons issued"), found.issued),
        (_("Coupons redeemed"), found.redeemed),
    ]
    begun = any(pair.before for _label, pair in pairs)  # else there is no time before to compare with
    figures = [Figure(label, pair.value, pair.before if begun else None) for label, pair in pairs]
    return [Figure(_("Members"), found.members, note=note), *figures]


def _label(day: date) -> str:
    return i18n.format_day(day)


def _stamps(found: Dashboard) -> DayChart:
    before = found.stamps.before / len(found.period.days)
    average = (before, _("before: %(n)s a day", n=round(before))) if round(before) else None
    stamps = found.measure == "stamps"
    return by_day(
        title=_("Stamps by day") if stamps else _("Purchases by day"),
        desc=_("Stamps given at all outlets.") if stamps else _("Purchases at all outlets."), days=found.period.days,
        series=[(_("Stamps") if stamps else _("Purchases"), found.stamps_by_day)], label=_label, heading=_("Day"),
        average=average,
    )  # fmt: skip


def _joined(found: Dashboard) -> DayChart:
    every, heading = _slots(found)
    return by_day(
        title=_("New members"), desc=_("People who joined."), days=found.period.days,
        series=[(_("New members"), found.joined_by_day)], label=_label, heading=heading, every=every,
    )  # fmt: skip


def _coupons(found: Dashboard) -> DayChart:
    every, heading = _slots(found)
    series = [(_("Issued"), found.issued_by_day), (_("Redeemed"), found.redeemed_by_day)]
    return by_day(
        title=_("Coupons"), desc=_("Coupons issued and redeemed."), days=found.period.days, series=series, label=_label,
        heading=heading, every=every,
    )  # fmt: skip


def _slots(found: Dashboard) -> tuple[int, str]:
    weekly = len(found.period.days) >= WEEKLY
    return (7, _("Week from")) if weekly else (1, _("Day"))


def _outlets(found: Dashboard) -> OutletChart:
    rows = [
        (row.name, row.reseller, row.stamps, (i18n.format_cents(row.sales_cents), str(row.redeemed)))
        for row in found.outlets
    ]
    stamps = found.measure == "stamps"
    desc = _("Stamps given in the period, the most first.") if stamps else _("Purchases in the period, the most first.")
    columns = (_("Outlet"), _("Stamps") if stamps else _("Purchases"), _("Sales"), _("Redeemed"))
    return by_outlet(title=_("Outlets"), desc=desc, columns=columns, figures=rows)


def _programs(found: Dashboard) -> list[dict[str, str]]:
    """Return what each program gave and what members hold of it, in its unit."""
    return [
        {
            "name": i18n.pick(row.program.name),
            "unit": units.unit(row.program.unit)[1],
            "given": units.number(row.program.kind, row.given),
            "before": units.number(row.program.kind, row.before),
            "held": units.number(row.program.kind, row.held),
            "pending": units.number(row.program.kind, row.pending) if row.pending else "",
        }
        for row in found.programs
    ]
