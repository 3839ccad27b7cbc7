"""What a template may ask for, and how it is filled: whole values only, never text inside text. Pure."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from app.wallet.model import CardView, CouponView

Json = Any  # what json.loads returns

PLACEHOLDER = re.compile(r"\{\{\s*([a-z_.]+)\s*\}\}")
GOOGLE_ONLY = frozenset({"member.qr_pattern", "member.totp_key"})
# A list item whose own text is empty says nothing and is left out: a field, a text module, a link.
_ITEM_TEXT = ("value", "body", "uri", "message")


class UnknownPlaceholder(LookupError):
    """A template asks for a value that does not exist."""


def card_values(view: CardView, words: Mapping[str, str]) -> dict[str, str]:
    """Return every value that a stamp card's template may show, by placeholder.

    All are text: one reader shows whole numbers as empty. `words` are the template's in the member's language.
    """
    first = view.coupons[0] if view.coupons else CouponView("", "", "")
    colors = view.colors
    return {f"word.{key}": word for key, word in words.items()} | {
        "brand.name": view.brand_name,
        "brand.contact": view.contact,
        "brand.background": rgb(colors.brand),
        "brand.foreground": rgb(colors.on_brand),
        "brand.label": rgb(colors.on_brand_soft),
        "brand.hex": colors.brand,
        "card.program": view.program_name,
        "card.description": f"{view.brand_name}: {view.program_name}",
        "card.unit": view.unit,
        "card.balance": view.balance,
        "card.news": view.news,
        "coupon.title": first.title,
        "coupon.code": grouped(first.code),
        "coupon.until": first.until,
        "coupon.text": _how_to_use(first, words),
        "coupons.text": "\n\n".join(f"{coupon.title}\n{_how_to_use(coupon, words)}" for coupon in view.coupons),
        # The row of the front holds two fields: a coupon that can be used is worth more than the names.
        "front.program": "" if view.coupons else view.program_name,
        "front.member": "" if view.coupons else view.member_name,
        "link.card": view.links.card,
        "link.terms": view.links.terms,
        "link.privacy": view.links.privacy,
        "link.stop": view.links.stop,
        "link.logo": view.links.logo,
        "member.name": view.member_name,
        "member.code": view.spoken_code,
        "member.qr": view.member_qr,
    }


def fill(node: Json, values: Mapping[str, str]) -> Json:
    """Return a template's JSON with its placeholders replaced and everything empty left out.

    Raises:
        UnknownPlaceholder: a name that `values` does not have; nothing is shown as empty by mistake.
    """
    return prune(replace(node, values))


def replace(node: Json, values: Mapping[str, str]) -> Json:
    """Return a template's JSON with its placeholders replaced, empty values and all; raises as `fill` does."""
    if isinstance(node, dict):
        return {key: replace(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [replace(each, values) for each in node]
    if not isinstance(node, str) or "{{" not in node:
        return node
    found = PLACEHOLDER.fullmatch(node)
    if found is None or found[1] not in values:
        raise UnknownPlaceholder(node)
    return values[found[1]]


def prune(node: Json) -> Json:
    """Return JSON without what is empty and without list items that say nothing; false and 0 are values and stay."""
    if isinstance(node, dict):
        kept = ((key, prune(value) if isinstance(value, (dict, list)) else value) for key, value in node.items())
        return {key: value for key, value in kept if value or value == 0}
    if isinstance(node, list):
        items = (prune(each) for each in node if not says_nothing(each))
        return [item for item in items if item or item == 0]
    return node


def says_nothing(item: Json) -> bool:
    """Tell whether a list item has no text of its own."""
    if not isinstance(item, dict):
        return False
    return any(key in item and item[key] == "" for key in _ITEM_TEXT)


@lru_cache(maxsize=256)
def rgb(color: str) -> str:
    """Return `#183f8c` as Apple writes colors, `rgb(24, 63, 140)`."""
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


def grouped(code: str) -> str:
    """Return a code in groups of four, as people read and type it."""
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))


def _how_to_use(coupon: CouponView, words: Mapping[str, str]) -> str:
    until = f"{words.get('until', '')}: {coupon.until}" if coupon.until else ""
    return "\n".join(line for line in (grouped(coupon.code), until) if line)


PLACEHOLDERS = frozenset(card_values(CardView("", "", "", 0, 1, "", "", "", "en"), {}))
