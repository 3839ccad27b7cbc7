"""One sentence on what changed between two periods. Knows no database."""

from app.core.i18n import format_number, ngettext
from app.core.i18n import gettext as _
from app.reports.dashboard import Dashboard, OutletFigures

QUIET = 5  # percent of change that nobody needs to hear of


def sentence(found: Dashboard) -> str:
    """Return what a reader should know first: stamps up or down, and the outlet that moved most."""
    stamps, days = found.stamps, len(found.period.days)
    if not stamps.value and not stamps.before:
        return _("No stamps have been given in this period.")
    if not stamps.before:
        count = format_number(stamps.value)
        given = ngettext("%(count)s stamp in this period", "%(count)s stamps in this period", stamps.value, count=count)
        return _("%(given)s; there is nothing to compare with yet.", given=given)
    percent = _percent(stamps.value, stamps.before)
    values = {"percent": abs(percent), "days": days}
    if abs(percent) < QUIET:
        whole = _("Stamps held, as many as in the %(days)s days before", **values)
    elif percent > 0:
        whole = _("%(percent)s %% more stamps than in the %(days)s days before", **values)
    else:
        whole = _("%(percent)s %% fewer stamps than in the %(days)s days before", **values)
    return f"{whole}; {_mover(found)}." if _mover(found) else f"{whole}."


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
