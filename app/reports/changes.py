"""One sentence on what changed between two periods. Knows no database."""

from app.core.i18n import format_number, ngettext
from app.core.i18n import gettext as _
from app.reports.dashboard import Dashboard, OutletFigures

QUIET = 5  # percent of change that nobody needs to hear of


def sentence(found: Dashboard) -> str:
    """Return what a reader should know first: stamps, or purchases, up or down, and the outlet that moved most."""
    stamps, days = found.stamps, len(found.period.days)
    counted = found.measure == "stamps"
    if not stamps.value and not stamps.before:
        return _("No stamps have been given in this period.") if counted else _("Nothing was bought in this period.")
    if not stamps.before:
        return _("%(given)s; there is nothing to compare with yet.", given=_given(stamps.value, counted=counted))
    percent = _percent(stamps.value, stamps.before)
    whole = (_stamps if counted else _purchases)(percent, {"percent": abs(percent), "days": days})
    return f"{whole}; {_mover(found)}." if _mover(found) else f"{whole}."


def _given(value: int, *, counted: bool) -> str:
    count = format_number(value)
    if counted:
        return ngettext("%(count)s stamp in this period", "%(count)s stamps in this period", value, count=count)
    return ngettext("%(count)s purchase in this period", "%(count)s purchases in this period", value, count=count)


def _stamps(percent: int, values: dict[str, int]) -> str:
    if abs(percent) < QUIET:
        return _("Stamps held, as many as in the %(days)s days before", **values)
    if percent > 0:
        return _("%(percent)s %% more stamps than in the %(days)s days before", **values)
    return _("%(percent)s %% fewer stamps than in the %(days)s days before", **values)


def _purchases(percent: int, values: dict[str, int]) -> str:
    if abs(percent) < QUIET:
        return _("As many purchases as in the %(days)s days before", **values)
    if percent > 0:
        return _("%(percent)s %% more purchases than in the %(days)s days before", **values)
    return _("%(percent)s %% fewer purchases than in the %(days)s days before", **values)


def _mover(found: Dashboard) -> str:
    """Return the outlet that moved most; empty when none moved enough to be named."""
    if not found.outlets:
        return ""
    most = max(found.outlets, key=lambda outlet: (abs(_moved(outlet)), outlet.name))
    if abs(_moved(most)) * 100 < QUIET * found.stamps.before or not _moved(most):
        return ""
    values = {"outlet": most.name, "n": format_number(most.stamps), "before": format_number(most.stamps_before)}
    if _moved(most) > 0:
        return _("%(outlet)s grew most, from %(before)s to %(n)s", **values)
    return _("%(outlet)s fell most, from %(before)s to %(n)s", **values)


def _moved(outlet: OutletFigures) -> int:
    return outlet.stamps - outlet.stamps_before


def _percent(value: int, before: int) -> int:
    sign = 1 if value >= before else -1
    return sign * ((200 * abs(value - before) + before) // (2 * before))
