"""Looking at a page as everybody sees it: three widths, light and dark, with axe and with a camera."""

import os
from pathlib import Path
from typing import Any

import axe_playwright_python  # type: ignore[import-untyped]
from playwright.sync_api import Page

from tests.browser.windows import shoot

FULL = os.environ.get("LEIMA_TEST_FULL") == "1"
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
WIDTHS = {360: 780, 768: 1024, 1280: 900}
NAMES = {360: "phone", 1280: "desktop"}
# Only an experimental rule, which axe leaves out, reads style sheets ahead; in a shadow tree the policy blocks how.
# Another color scheme changes colors alone, so dark pages are asked about colors alone, and
# in the small count at the two ends alone: what both show and hide is all that a width between can.
RUN = """async (colorsOnly) => {
    const found = await axe.run(document, {
        resultTypes: ['violations'],
        preload: false,
        ...(colorsOnly ? {runOnly: ['color-contrast', 'link-in-text-block']} : {}),
    });
    return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(', ')}`);
}"""
WIDER = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


class Looks:
    """Collects what is wrong with the pages that it was shown."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def at(self, page: Page, name: str) -> None:
        """Look at the page that is open, in every width and scheme, and take its pictures."""
        page.evaluate(AXE)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            for width, height in WIDTHS.items():
                if scheme == "dark" and width not in NAMES and not FULL:
                    continue
                page.set_viewport_size({"width": width, "height": height})
                where = f"{name}, {scheme}, {width}"
                found: list[Any] = page.evaluate(RUN, scheme == "dark")
                self.faults += [f"{where}: {fault}" for fault in found]
                if page.evaluate(WIDER):
                    self.faults.append(f"{where}: wider than the window")
                # Pictures are for people, who take the full count; the main job keeps its own in every run.
                if FULL and width in NAMES:
                    shoot(page, f"{name}-{scheme}-{NAMES[width]}", full_page=True)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 360, "height": WIDTHS[360]})
