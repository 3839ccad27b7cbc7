"""A brand's stylesheet: text on any brand color can be read."""

from hypothesis import given
from hypothesis import strategies as st

from app.doors.brand_css import READABLE, brand_css, contrast, on_color
from app.network.models import Brand

colors = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_contrast_of_black_and_white_is_21() -> None:
    assert round(contrast("#000000", "#ffffff"), 2) == 21
    assert contrast("#123456", "#123456") == 1


def test_text_is_light_on_dark_and_dark_on_light() -> None:
    assert on_color("#183f8c") == "#ffffff"
    assert on_color("#f5d337") == "#0b1020"


@given(colors)
def test_quiet_text_reads_wherever_text_can(brand_color: str) -> None:
    brand = Brand(brand_color=brand_color, brand_deep=brand_color, ink="#f5d337", on_ink="#13295f")
    values = dict(pair.split(":") for pair in brand_css(brand).removeprefix(":root{").removesuffix("}").split(";"))

    strong = contrast(values["--on-brand"], brand_color)
    assert contrast(values["--on-brand-soft"], brand_color) >= min(READABLE, strong)
