"""The phone's files hold together: nothing missing offline, nothing the content policy refuses, nothing too long."""

import re
from pathlib import Path

import pytest

from tests import house

PWA = house.ROOT / "pwa"
TEMPLATES = house.ROOT / "app" / "doors" / "templates"
PHONE = ("base.html", "error.html", "icons.html", "_*.html", "member/*.html", "join/*.html")
IMPORT = re.compile(r"""(?:from|import\()\s*'(\.[^']+)'""")
SPLIT = re.compile(r"""\b(?:style|on[a-z]+)\s*=\s*["']|<style|<script(?![^>]*nonce=)""")


def phone_templates() -> list[Path]:
    return sorted(path for pattern in PHONE for path in TEMPLATES.glob(pattern))


def kept_offline() -> set[str]:
    """Return the files that the service worker keeps, as sw.js lists them."""
    listed = re.search(r"const FILES = \[(.*?)\]", (PWA / "sw.js").read_text(encoding="utf-8"), re.DOTALL)
    assert listed
    return set(re.findall(r"'([^']+)'", listed[1]))


def needed(module: str) -> set[str]:
    """Return a module and all that it imports, paths from pwa/."""
    found = {module}
    for name in IMPORT.findall((PWA / module).read_text(encoding="utf-8")):
        found |= needed((Path(module).parent / name).as_posix())
    return found


def test_everything_that_the_phone_pages_ask_for_is_kept_offline() -> None:
    asked = {
        name
        for path in phone_templates()
        for name in re.findall(r"asset\('([^']+)'\)", path.read_text(encoding="utf-8"))
    }
    modules = {module for name in asked if name.endswith("js") for module in needed(name)}
    assert {"tokens.css", "font.woff2", "card.js", "rotating.js"} <= asked | modules
    assert (asked | modules) - kept_offline() == set()


def test_every_file_kept_offline_exists() -> None:
    assert [name for name in kept_offline() if not (PWA / name).is_file()] == []


@pytest.mark.parametrize("path", phone_templates(), ids=lambda path: path.name)
def test_no_template_of_the_phone_has_inline_style_script_or_event_attributes(path: Path) -> None:
    assert SPLIT.findall(path.read_text(encoding="utf-8")) == []


def test_there_is_one_trusted_types_policy() -> None:
    makers = [
        path.name
        for path in PWA.glob("*.js")
        if "createPolicy(" in path.read_text(encoding="utf-8") and "till" not in path.name
    ]
    assert makers == ["phone.js"]


@pytest.mark.parametrize("path", sorted(PWA.glob("*.js")), ids=lambda path: path.name)
def test_a_module_of_the_browser_has_at_most_300_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
