"""Template folders: the shipped ones hold, and each fault is found with its file and line."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.wallet import artwork
from app.wallet.model import CardView, Colors
from app.wallet.strings import StringsError, encode_strings, parse_strings
from app.wallet.templates import Template, TemplateError, load_template, load_templates
from app.wallet.values import GOOGLE_ONLY, PLACEHOLDERS, UnknownPlaceholder, fill

SHIPPED = Path(__file__).parents[2] / "wallet_templates"
View = Callable[..., CardView]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the stamp card that a test may break."""
    return Path(shutil.copytree(SHIPPED / "stamp-card.pass", tmp_path / "own.pass"))


def _break(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")


def _faults(folder: Path) -> list[str]:
    with pytest.raises(TemplateError) as caught:
        load_template(folder)
    return caught.value.faults


def _line(folder: Path, name: str, text: str) -> int:
    lines = (folder / name).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_shipped_templates_hold() -> None:
    template = load_templates(SHIPPED)["stamp-card"]

    assert (template.kind, template.default_language) == ("stamp_card", "fi")
    assert set(template.words) == {"fi", "sv", "en"}
    assert template.drawn == ("icon", "logo", "strip")


def test_unknown_placeholder_is_found_with_its_line(folder: Path) -> None:
    _break(folder, "pass.json", "{{link.terms}}", "{{link.trems}}")
    line = _line(folder, "pass.json", "link.trems")

    assert _faults(folder) == [f"own.pass/pass.json:{line}: unknown placeholder {{{{link.trems}}}}"]


def test_secret_of_the_rotating_code_is_unknown_to_apples_pass(folder: Path) -> None:
    _break(folder, "pass.json", "{{link.terms}}", "{{member.totp_key}}")

    assert "unknown placeholder {{member.totp_key}}" in _faults(folder)[0]


def test_placeholder_inside_text_is_refused(folder: Path) -> None:
    _break(folder, "pass.json", "{{card.news}}", "News: {{card.news}}")

    assert _faults(folder)[0].endswith("a placeholder must be the whole value")


def test_field_key_used_twice_is_found_where_it_stands_again(folder: Path) -> None:
    _break(folder, "pass.json", '"key": "privacy"', '"key": "coupon"')
    line = _line(folder, "pass.json", "link.privacy")

    assert _faults(folder) == [f'own.pass/pass.json:{line}: the field key "coupon" is used twice']


def test_missing_image_is_found_at_the_line_that_asks_for_it(folder: Path) -> None:
    _break(folder, "template.toml", 'logo = "drawn"', 'logo = "file"')
    line = _line(folder, "template.toml", 'logo = "file"')
    for name in ("logo.png", "logo@3x.png"):
        (folder / name).write_bytes(artwork.logo(Colors(), 1))

    assert _faults(folder) == [f"own.pass/template.toml:{line}: the image logo@2x.png is missing"]


def test_images_from_files_take_the_place_of_drawn_ones(folder: Path, a_view: View) -> None:
    _break(folder, "template.toml", 'logo = "drawn"', 'logo = "file"')
    for name in ("logo.png", "logo@2x.png", "logo@3x.png"):
        (folder / name).write_bytes(artwork.icon(Colors(), 1))

    template = load_template(folder)

    assert {entry.name: entry.data for entry in template.entries(a_view())}["logo@2x.png"] == artwork.icon(Colors(), 1)
    assert template.digest != load_template(SHIPPED / "stamp-card.pass").digest


@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        ("pass.json", '"formatVersion": 1,', '"formatVersion": 1', "pass.json:3: Expecting ',' delimiter"),
        ("pass.json", '"storeCard"', '"storecard"', "pass.json:1: must have one of storeCard"),
        ("pass.json", '"label": "terms"', '"label": "trems"', 'the label "trems" is no word of pass.strings'),
        ("google.json", '"object"', '"objects"', 'google.json:1: has no "object"'),
        ("template.toml", 'kind = "stamp_card"', 'kind = "bus"', "template.toml:2: kind must be one of"),
        ("template.toml", 'kind = "stamp_card"', 'kind "stamp_card"', "template.toml:2: "),
        ("template.toml", '"fi"', '"de"', "template.toml:3: default_language has no pass.strings"),
        ("template.toml", 'news = "%@"', 'news = "New"', 'the message of "news" has no %@'),
        ("template.toml", 'news = "%@"', 'nows = "%@"', "which pass.json does not have"),
        ("template.toml", 'icon = "drawn"', "", "[images] has no icon"),
        ("template.toml", "[notify]", "[notes]", 'unknown key "notes"'),
        ("sv.lproj/pass.strings", '"Villkor";', '"Villkor"', "sv.lproj/pass.strings:10: expected"),
        ("sv.lproj/pass.strings", '"terms"', '"card"', 'sv.lproj/pass.strings:10: "card" is used twice'),
        ("fi.lproj/pass.strings", '"terms" = "Ehdot";', "", 'fi.lproj/pass.strings:1: has no word "terms"'),
    ],
)
def test_each_fault_is_told_with_file_and_line(folder: Path, name: str, old: str, new: str, fault: str) -> None:
    _break(folder, name, old, new)

    assert any(fault in found for found in _faults(folder)), _faults(folder)


def test_all_faults_of_all_templates_come_at_once(folder: Path) -> None:
    _break(folder, "pass.json", "{{card.news}}", "{{card.old}}")
    shutil.copytree(folder, folder.parent / "second.pass")
    (folder / "google.json").unlink()

    with pytest.raises(TemplateError) as caught:
        load_templates(folder.parent)

    assert len(caught.value.faults) == 2
    assert caught.value.faults[0] == "own.pass/google.json: is missing"


def test_words_that_are_no_utf8_are_refused(folder: Path) -> None:
    (folder / "fi.lproj" / "pass.strings").write_bytes('"terms" = "Käyttöehdot";'.encode("latin-1"))

    assert _faults(folder) == ["own.pass/fi.lproj/pass.strings: is not UTF-8"]


def test_every_placeholder_has_a_value_and_no_value_is_unknown(template: Template, a_view: View) -> None:
    values = template.values(a_view())

    assert {name for name in values if not name.startswith("word.")} == PLACEHOLDERS
    assert not GOOGLE_ONLY & PLACEHOLDERS
    assert all(isinstance(value, str) for value in values.values())


def test_unknown_placeholder_is_never_filled_with_nothing() -> None:
    for text in ("{{card.blance}}", "x {{card.balance}}", "{{ card.balance"):
        with pytest.raises(UnknownPlaceholder):
            fill({"value": text}, {"card.balance": "7/10"})


def test_values_are_filled_as_json_and_never_as_text() -> None:
    nasty = '", "sharingProhibited": false, "x": "{{card.balance}}'

    filled = fill({"fields": [{"key": "a", "value": "{{member.name}}"}], "n": 0, "f": False}, {"member.name": nasty})

    assert json.loads(json.dumps(filled)) == {"fields": [{"key": "a", "value": nasty}], "n": 0, "f": False}


def test_items_without_text_are_left_out() -> None:
    node = {"uris": [{"id": "a", "uri": "{{x}}"}, {"id": "b", "uri": "{{y}}"}], "logo": {"sourceUri": {"uri": "{{x}}"}}}

    assert fill(node, {"x": "", "y": "https://y"}) == {"uris": [{"id": "b", "uri": "https://y"}]}


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_words_come_back_from_a_strings_file_as_they_went_in(words: dict[str, str]) -> None:
    assert parse_strings(encode_strings(words).decode("utf-16")) == words


def test_strings_file_with_comments_is_read_and_a_fault_has_its_line() -> None:
    text = '/* a\n b */ "k\\"1" = "ä\\n"; // end\n"k2"="";\n'

    assert parse_strings(text) == {'k"1': "ä\n", "k2": ""}
    with pytest.raises(StringsError) as caught:
        parse_strings(text + "k3 = 1;")
    assert caught.value.line == 4


@pytest.mark.parametrize("size", [*range(1, 21), 30, 60])
def test_every_count_up_to_a_full_card_is_drawn(size: int) -> None:
    pictures = {artwork.strip(Colors(), stamps, size, "gift", 1) for stamps in range(min(size, artwork.MAX_PLACES) + 1)}

    assert len(pictures) == min(size, artwork.MAX_PLACES) + 1


def test_images_have_apples_sizes_and_follow_the_brands_colors() -> None:
    red = Colors(brand="#7a1020", ink="#ffffff", on_ink="#7a1020")
    for scale in artwork.SCALES:
        for picture, side in ((artwork.icon(red, scale), (29, 29)), (artwork.logo(red, scale), (50, 50))):
            assert Image.open(io.BytesIO(picture)).size == (side[0] * scale, side[1] * scale)
        strip = Image.open(io.BytesIO(artwork.strip(red, 3, 10, "cup", scale))).convert("RGB")
        assert strip.size == (375 * scale, 144 * scale)
        assert strip.getpixel((0, 0)) == (0x7A, 0x10, 0x20)


def test_picture_is_drawn_once_and_then_shared(template: Template, a_view: View) -> None:
    one, two = template.entries(a_view()), template.entries(a_view(member_name="Toinen", stamps=7))

    assert all(a is b for a, b in zip(one, two, strict=True))
    assert {entry.name for entry in one} == {entry.name for entry in template.entries(a_view(stamps=8))}
