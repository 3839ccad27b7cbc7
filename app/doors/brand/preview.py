"""The member's card as a program will look, for the form that makes it: filled in part, so that it can be judged."""

from typing import Any

from app.cards.rules import Plan
from app.cards.units import MONEY
from app.cards.views import unit as unit_of
from app.core import i18n
from app.core.i18n import gettext as _
from app.core.i18n import ngettext
from app.rewards.models import Reward


def preview(
    kind: str, plan: Plan | None, *, name: dict[str, str], unit: dict[str, list[str]], size: int | None,
    reward: Reward | None, rewards: dict[str, str],
) -> dict[str, Any]:  # fmt: skip
    """Return what the card shows: `stamps` of `size` for a card of stamps, else a number and what is next."""
    title = i18n.pick(name) or _("Your card")
    forms = unit_of(unit) if unit else ("", "")
    if kind == "stamp_card":
        places = size or 10
        stamps = places * 2 // 5
        gift = i18n.pick(reward.name) if reward else _("Reward")
        line = ngettext("%(reward)s after %(num)s more", "%(reward)s after %(num)s more", places - stamps, reward=gift)
        icon = reward.icon if reward else "gift"
        return {
            "title": title,
            "line": line,
            "unit": forms[1],
            "stamps": stamps,
            "size": places,
            "icon": icon,
            "number": "",
        }
    number, line = _number(kind, plan, rewards)
    unit_text = "" if kind in MONEY else forms[1]
    return {"title": title, "line": line, "unit": unit_text, "stamps": 0, "size": 0, "icon": "", "number": number}


def _number(kind: str, plan: Plan | None, rewards: dict[str, str]) -> tuple[str, str]:
    if kind == "bonus":
        return i18n.format_cents(1240), _("to spend at any of our shops")
    if plan is None:
        return "–", ""
    if kind == "serial_card":
        return i18n.format_number(plan.uses or 0), _("uses left")
    if kind == "standing":
        tier = plan.tiers[-1]
        percent = i18n.format_number(tier.discount_bp // 100)
        return f"−{percent} %", i18n.pick({str(k): v for k, v in (tier.name or {}).items()}) or tier.slug
    if not plan.thresholds:
        return i18n.format_number(7), ""
    step = plan.thresholds[0]
    held = step.at * 2 // 5
    gift = rewards.get(step.reward, step.reward)
    if kind in MONEY:
        return i18n.format_cents(held), _("%(reward)s at %(at)s", reward=gift, at=i18n.format_cents(step.at))
    return i18n.format_number(held), _("%(reward)s at %(at)s", reward=gift, at=i18n.format_number(step.at))
