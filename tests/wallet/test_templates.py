"""Template folders: the shipped ones hold, and each fault is found with its file and line."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.wallet import artwork, json_lines
from app.wallet.model import CardView, Colors
from app.wallet.strings import StringsError, encode_strings, parse_strings
from app.wallet.templates import KIND_OF, Template, TemplateError, load_template, load_templates
from app.wallet.values import UnknownPlaceholder, fill

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
    templates = load_templates(SHIPPED)

    assert {name: template.kind for name, template in templates.items()} == KIND_OF
    for template in templates.values():
        assert (template.default_language, set(template.words)) == ("fi", {"fi", "sv", "en"})
        assert template.drawn == ("icon", "logo", "strip")
        assert template.notify == {"news": "%@", "message": "%@"}


def test_unknown_placeholder_is_found_with_its_line(folder: Path) -> None:
    _break(folder, "pass.json", "{{link.terms}}", "{{link.trems}}")
    line = _line(folder, "pass.json", "link.trems")

    assert _faults(folder) == [f"own.pass/pass.json:{line}: unknown placeholder {{{{link.trems}}}}"]


def test_secret_of_the_rotating_code_is_unknown_to_apples_pass(folder: Path) -> None:
    _break(folder, "pass.json", "{{link.terms}}", "{{member.totp_key}}")

    assert "unknown placeholder {{member.totp_key}}" in _faults(folder)[0]


def test_placeholder_inside_text_is_refused(folder: Path) -> None:
    _break(folder, "pass.json", "{{pass.news}}", "News: {{pass.news}}")

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
        ("pass.json", '"storeCard"', '"storecard"', 'pass.json:19: unknown key "storecard"'),
        ("pass.json", '"formatVersion": 1,', '"formatVersion": 1, "nfc": {},', 'pass.json:2: "nfc" is set by Leima'),
        ("pass.json", '"formatVersion": 1,', '"serialNumber": "1",', 'pass.json:2: "serialNumber" is set by Leima'),
        ("pass.json", '"formatVersion": 1,', '"logoText": "",', 'pass.json:5: the key "logoText" is used twice'),
        ("pass.json", '"format": "PK', '"form": "PK', 'pass.json:13: unknown key "form"'),
        ("pass.json", '"{{member.qr}}"', '"{{member.name}}"', 'pass.json:11: needs a barcode with "message"'),
        ("pass.json", '"{{brand.label}}"', '"white"', "pass.json:8: labelColor must be a placeholder or rgb"),
        ("pass.json", '"description": "{{pass.description}}"', '"description": 7', 'pass.json:3: needs "description"'),
        (
            "pass.json",
            '"value": "{{card.balance}}"',
            '"value": 7',
            'pass.json:21: the value of "balance" must be a text',
        ),
        ("pass.json", '"key": "balance"', '"key": "balance", "changeMessage": "%@"', '"changeMessage" is set by Leima'),
        ("google.json", '"programName"', '"id": "1.x", "programName"', 'google.json:4: "id" is set by Leima'),
        ("google.json", '"state"', '"stat"', 'google.json:10: unknown key "stat"'),
        ("google.json", "UNDER_REVIEW", "DRAFT", "google.json:7: reviewStatus must be UNDER_REVIEW"),
        ("google.json", "{{member.qr_pattern}}", "{{member.name}}", "google.json:13: needs a barcode with"),
        ("pass.json", '"label": "terms"', '"label": "trems"', 'the label "trems" is no word of pass.strings'),
        ("google.json", '"object"', '"objects"', 'google.json:1: has no "object"'),
        ("template.toml", 'kind = "stamp_card"', 'kind = "bus"', "template.toml:2: kind must be one of"),
        ("template.toml", 'kind = "stamp_card"', 'kind "stamp_card"', "template.toml:2: "),
        ("template.toml", '"fi"', '"de"', "template.toml:3: default_language has no pass.strings"),
        ("template.toml", 'news = "%@"', 'news = "New"', 'the message of "news" has no %@'),
        ("template.toml", 'news = "%@"', 'nows = "%@"', "which pass.json does not have"),
        ("template.toml", 'icon = "drawn"', "", "[images] has no icon"),
        ("template.toml", "[notify]", "[notes]", 'unknown key "notes"'),
        ("template.toml", 'strip = "drawn"', 'strip = "painted"', 'template.toml:9: strip = "painted": known are'),
        ("template.toml", 'logo = "drawn"', 'logo = "by_count"', 'template.toml:8: logo = "by_count": known are'),
        ("template.toml", 'strip = "drawn"', 'strip = "by_count"', "template.toml:9: the image strip-0.png is missing"),
        ("template.toml", 'kind = "stamp_card"', "kind = [1]", "template.toml:2: kind must be one of"),
        ("fi.lproj/pass.strings", '"until"', '"untill"', 'fi.lproj/pass.strings:1: has no word "until"'),
        ("sv.lproj/pass.strings", '"Villkor";', '"Villkor"', "sv.lproj/pass.strings:12: expected"),
        ("sv.lproj/pass.strings", '"terms"', '"card"', 'sv.lproj/pass.strings:12: "card" is used twice'),
        ("fi.lproj/pass.strings", '"terms" = "Ehdot";', "", 'fi.lproj/pass.strings:1: has no word "terms"'),
    ],
)
def test_each_fault_is_told_with_file_and_line(folder: Path, name: str, old: str, new: str, fault: str) -> None:
    _break(folder, name, old, new)

    assert any(fault in found for found in _faults(folder)), _faults(folder)


def test_all_faults_of_all_templates_come_at_once(folder: Path) -> None:
    _break(folder, "pass.json", "{{pass.news}}", "{{pass.old}}")
    shutil.copytree(folder, folder.parent / "second.pass")
    (folder / "google.json").unlink()

    with pytest.raises(TemplateError) as caught:
        load_templates(folder.parent)

    assert len(caught.value.faults) == 2
    assert caught.value.faults[0] == "own.pass/google.json: is missing"


def test_words_that_are_no_utf8_are_refused(folder: Path) -> None:
    (folder / "fi.lproj" / "pass.strings").write_bytes('"terms" = "Käyttöehdot";'.encode("latin-1"))

    assert _faults(folder) == ["own.pass/fi.lproj/pass.strings: is not UTF-8"]


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


@given(st.text(alphabet='{}[]:,"\\ab1 \n.-', max_size=40))
def test_text_that_is_no_json_is_refused_and_json_keeps_its_lines(text: str) -> None:
    try:
        found = json_lines.parse(text)
    except json_lines.JsonError as error:
        refused_at = error.line
    else:
        refused_at = 1
        assert found.data == json.loads(text)
        assert {path[0] for path in found.lines} == set(found.data)

    assert 1 <= refused_at <= text.count("\n") + 1


@pytest.mark.parametrize(
    "text", ['{"a": ' + "[" * 100_000, '{"a": "' + '\\"' * 30_000, '{"a": ' + "9" * 5000 + "}", '{"a": NaN}']
)
def test_hostile_json_is_refused_at_once(text: str) -> None:
    with pytest.raises(json_lines.JsonError):
        json_lines.parse(text)


def test_line_of_each_key_and_item_is_known() -> None:
    text = '{\n  "a": [\n    {"b": 1},\n    {"b":\n 2, "c": [[], {}]}\n  ],\n  "b": "x{[\\""\n}'

    lines = json_lines.parse(text).lines

    assert (lines["a",], lines["a", 0], lines["a", 1, "b"], lines["a", 1, "c", 1], lines["b",]) == (2, 3, 4, 5, 7)


def test_picture_is_drawn_once_and_then_shared(template: Template, a_view: View) -> None:
    one, two = template.entries(a_view()), template.entries(a_view(member_name="Toinen", stamps=7))

    assert all(a is b for a, b in zip(one, two, strict=True))
    assert {entry.name for entry in one} == {entry.name for entry in template.entries(a_view(stamps=8))}
