"""The three catalogues: whole, and true to the sentences of the code."""

from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from app.core import i18n
from tests.catalogs import (
    TOOL,
    TRANSLATED,
    differing,
    ends,
    english,
    load,
    markup,
    missing,
    pairs,
    placeholders,
    quotes,
    sentences,
    stray_percents,
    unfinished,
)

PLURALS = "nplurals=2; plural=(n != 1);"
SAME = {
    "fi": {"Logo", "%(number)s %(unit)s: %(how)s", "Bonus"},
    "sv": {
        "Period", "Text", "%(number)s %(unit)s: %(how)s", "%(n)s extra", "Bonus", "Plan", "Program", "Version",
        "Version %(n)s", "version %(n)s", "Kiosk", "Id", "Person", "%(count)s person",
    },
}  # fmt: skip  # one word in both languages


@pytest.fixture(scope="module")
def found() -> Catalog:
    """All sentences of the code."""
    return TOOL.extract()


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_every_sentence_of_the_code_is_in_each_catalogue(language: str, found: Catalog) -> None:
    assert len(found) > 300
    assert missing(load(language), found) == []


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_a_catalogue_is_as_the_tool_writes_it(language: str, found: Catalog) -> None:
    path = TOOL.path_of(language)
    assert path.read_text(encoding="utf-8") == TOOL.written(language, TOOL.updated(language, found)), "make messages"


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_a_catalogue_is_complete_and_nothing_in_it_is_guessed(language: str) -> None:
    assert unfinished(load(language)) == []


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_both_plural_forms_are_counted_as_the_language_counts(language: str) -> None:
    assert f'"Plural-Forms: {PLURALS}\\n"' in TOOL.path_of(language).read_text(encoding="utf-8")
    assert Catalog(locale=language).plural_forms == PLURALS
    plurals = [message for message in sentences(load(language)) if message.pluralizable]
    assert len(plurals) > 5
    assert {len(message.string) for message in plurals} == {2}


@pytest.mark.parametrize("part", [placeholders, stray_percents, markup, ends])
@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_placeholders_markup_and_outer_spaces_are_those_of_the_sentence(
    language: str, part: Callable[[str], object]
) -> None:
    assert differing(load(language), part) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_nothing_is_left_in_english(language: str) -> None:
    assert english(load(language), SAME.get(language, set())) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_quotation_marks_are_those_of_the_language(language: str) -> None:
    assert quotes(load(language)) == []


def test_the_english_catalogue_says_what_the_code_says() -> None:
    assert [text for message in sentences(load("en")) for one, text in pairs(message) if one != text] == []


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_the_service_reads_every_sentence_of_a_catalogue(language: str, found: Catalog) -> None:
    assert set(i18n.catalog(language)) == {pairs(message)[0][0] for message in sentences(found)}


def _planted(one: str | tuple[str, str], text: str | tuple[str, str] | None, **more: object) -> Catalog:
    catalog = Catalog(locale="fi")
    catalog.add(one, text, **more)  # type: ignore[arg-type]
    return catalog


FEW = ("%(n)s stamp", "%(n)s stamps")


@pytest.mark.parametrize(
    ("fault", "catalog"),
    [
        (lambda c: missing(Catalog(locale="fi"), c), _planted("Stamps", None)),
        (lambda c: missing(_planted("%(n)s stamp", "%(n)s leima"), c), _planted(FEW, None)),
        (unfinished, _planted("Stamps", "")),
        (unfinished, _planted("Stamps", "Leimat", flags=["fuzzy"])),
        (unfinished, _planted(FEW, ("%(n)s leima", ""))),
        (lambda c: differing(c, placeholders), _planted("At %(outlet)s", "Myymälä: %(outlets)s")),
        (lambda c: differing(c, placeholders), _planted(FEW, ("%(n)s leima", "leimaa"))),
        (lambda c: differing(c, placeholders), _planted("%(n)s %% more", "%(n)s enemmän")),
        (lambda c: differing(c, stray_percents), _planted("%(n)s %% more", "%(n)s % enemmän")),
        (lambda c: differing(c, markup), _planted('the <a href="/x">terms</a>', 'katso <a href="/y">ehdot</a>')),
        (lambda c: differing(c, markup), _planted("Terms", "Ehdot & muut")),
        (lambda c: differing(c, ends), _planted("Error: ", "Virhe:")),
        (lambda c: english(c, set()), _planted("Stamps", "Stamps")),
        (lambda c: english(c, set()), _planted(FEW, ("%(n)s leima", "%(n)s stamps"))),
        (quotes, _planted("Choose “Add”", "Valitse “Lisää”")),
    ],
)
def test_each_fault_of_a_catalogue_is_found(fault: Callable[[Catalog], list[str]], catalog: Catalog) -> None:
    assert len(fault(catalog)) == 1


def test_the_tool_keeps_translations_drops_old_ones_and_guesses_none(tmp_path: Path) -> None:
    folder = tmp_path / "app" / "shop" / "templates"
    folder.mkdir(parents=True)
    (folder / "page.html").write_text("{{ _('One') }}{% trans %}Two{% endtrans %}{{ ngettext('A', 'B', n) }}")
    (tmp_path / "app" / "shop" / "service.py").write_text("_('Three')\ngettext('Four')\nngettext('C', 'D', 2)\n")
    old = tmp_path / "old.po"
    old.write_text('msgid ""\nmsgstr ""\n\nmsgid "One"\nmsgstr "Yksi"\n\nmsgid "Twos"\nmsgstr "Kahdet"\n')
    catalog = TOOL.updated("fi", TOOL.extract(tmp_path), path=old)
    texts = {pairs(message)[0][0]: pairs(message)[0][1] for message in sentences(catalog)}
    assert texts == {"Three": "", "Four": "", "C": "", "One": "Yksi", "Two": "", "A": ""}
    assert TOOL.untranslated(catalog) == ["Three", "Four", "C", "Two", "A"]
