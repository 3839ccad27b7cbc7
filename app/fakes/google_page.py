"""The page that the fake Google Wallet shows after a card was saved: plain, and everything escaped."""

from collections.abc import Sequence
from html import escape
from typing import Any

from app.fakes.google_rest import Wallet

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:430px;margin:0 auto;padding:24px 16px;background:#f6f7f9;"
    "color:#111}@media (prefers-color-scheme:dark){body{background:#14161a;color:#eee}"
    "article{background:#1f232a!important}}article{background:#fff;border-radius:16px;padding:18px;margin:16px 0;"
    "border-left:8px solid}h1{font-size:22px}h2{font-size:18px;margin:0}dl{margin:8px 0 0}dt{opacity:.7;font-size:13px}"
    "dd{margin:0 0 8px;white-space:pre-line}"
)
_TOP = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="robots" content="noindex">'
    '<meta name="viewport" content="width=device-width,initial-scale=1"><title>Simulated Google Wallet</title>'
    f"<style>{_STYLE}</style></head><body>"
)
_SAVED = (
    "<h1>Saved in the simulated Google Wallet</h1>"
    "<p>This stands where Google would be. What the cards show here was true when they were saved.</p>"
)
_END = "</body></html>\n"


def saved_page(wallet: Wallet, names: Sequence[str]) -> str:
    """Return the page of some objects and of what is linked to them."""
    linked = [one for name in names for one in wallet.objects[name].get("linkedObjectIds", [])]
    every = dict.fromkeys([*names, *linked])
    return _TOP + _SAVED + "".join(_card(wallet, name) for name in every) + _END


def refused_page(reason: str) -> str:
    """Return the page for a link that the wallet does not take."""
    return f"{_TOP}<h1>The simulated Google Wallet cannot save this</h1><p>{escape(reason)}</p>{_END}"


def _card(wallet: Wallet, name: str) -> str:
    held = wallet.objects[name]
    klass = wallet.classes[held["classId"]]
    title = klass.get("programName") or klass.get("title") or klass.get("merchantName") or ""
    points = held.get("loyaltyPoints", {})
    lines = [("State", held.get("state", ""))]
    lines += [(points.get("label", ""), points.get("balance", {}).get("string", ""))] if points else []
    lines += [(one.get("header", ""), one.get("body", "")) for one in held.get("textModulesData", [])]
    lines += [
        (one.get("header", ""), one.get("body", "")) for one in [*klass.get("messages", []), *held.get("messages", [])]
    ]
    shown = "".join(f"<dt>{escape(str(label))}</dt><dd>{escape(str(text))}</dd>" for label, text in lines if text)
    color = _color(klass)
    return f'<article style="border-color:{color}"><h2>{escape(str(title))}</h2><dl>{shown}</dl></article>'


def _color(klass: dict[str, Any]) -> str:
    color = str(klass.get("hexBackgroundColor", ""))
    known = len(color) == 7 and color[0] == "#" and all(sign in "0123456789abcdefABCDEF" for sign in color[1:])
    return color if known else "#888888"
