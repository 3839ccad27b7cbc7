"""Check digits against public examples, and contrast against WCAG's own figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.network import checks


@pytest.mark.parametrize(
    "text", ["0112038-9", "01120389", " 1572860-0 ", "0109862-8"]
)  # Nokia, Finnish Tax Adm., KONE …
def test_true_business_ids_pass_in_one_form(text: str) -> None:
    assert checks.business_id(text).replace("-", "") == text.strip().replace("-", "")
    assert checks.business_id(text)[7] == "-"


@pytest.mark.parametrize("text", ["0112038-8", "112038-9", "01120389-", "FI01120389", "", "０112038-9"])
def test_wrong_business_ids_are_refused(text: str) -> None:
    with pytest.raises(checks.BusinessIdInvalid):
        checks.business_id(text)


@given(st.integers(0, 9_999_999), st.integers(0, 6), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(number: int, place: int, by: int) -> None:
    digits = f"{number:07d}"
    valid = [f"{digits}-{check}" for check in range(10) if _passes(f"{digits}-{check}")]
    changed = digits[:place] + str((int(digits[place]) + by) % 10) + digits[place + 1 :]

    assert len(valid) <= 1  # a remainder of one has no check digit at all
    assert not any(_passes(f"{changed}-{one[-1]}") for one in valid)


def _passes(text: str) -> bool:
    try:
        checks.business_id(text)
    except checks.BusinessIdInvalid:
        return False
    return True


def test_vat_numbers_lose_spaces_and_a_finnish_one_is_checked() -> None:
    assert checks.vat_number("FI 0112038 9") == "FI01120389"
    assert checks.vat_number("se556012579001") == "SE556012579001"
    for wrong in ("FI01120388", "FI0112038", "01120389", "FI"):
        with pytest.raises(checks.VatNumberInvalid):
            checks.vat_number(wrong)


@pytest.mark.parametrize("text", ["FI21 1234 5600 0007 85", "fi2112345600000785", "GB33BUKB20201555555555"])
def test_the_examples_of_the_iban_registry_pass(text: str) -> None:
    assert checks.iban(text) == text.replace(" ", "").upper()


@pytest.mark.parametrize("text", ["FI21 1234 5600 0007 58", "FI2112345600000", "21123456", "FI2X12345600000785", ""])
def test_wrong_ibans_are_refused(text: str) -> None:
    with pytest.raises(checks.IbanInvalid):
        checks.iban(text)


def test_contrast_is_that_of_wcag() -> None:
    assert checks.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert checks.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert checks.contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


def test_a_theme_that_can_be_read_passes_and_every_bad_pair_is_named() -> None:
    checks.check_theme(brand_color="#183f8c", brand_deep="#122b67", ink="#f5d337", on_ink="#13295f")

    with pytest.raises(checks.ContrastTooLow) as refused:
        checks.check_theme(brand_color="#8899aa", brand_deep="#122b67", ink="#f5d337", on_ink="#eeeeee")
    assert all(name in refused.value.message for name in ("deep", "ink / on_ink", "ink / brand"))


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_every_color_has_a_text_that_can_be_read_on_it(rgb: tuple[int, int, int]) -> None:
    paper = "#{:02x}{:02x}{:02x}".format(*rgb)

    assert checks.contrast(checks.on_brand(paper), paper) >= 4.5
    assert checks.contrast(checks.soft_on_brand(paper, paper), paper) >= 4.5


@pytest.mark.parametrize("text", ["red", "#fff", "#12345g", "123456", "#1234567"])
def test_colors_have_one_form(text: str) -> None:
    with pytest.raises(checks.ColorInvalid):
        checks.color(text)
