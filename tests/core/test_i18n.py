"""Language of the moment, and how amounts, days and times are written in it."""

from datetime import UTC, date, datetime

import pytest

from app.core import i18n

ALL = ("fi", "sv", "en")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("fi-FI,fi;q=0.9,en;q=0.8", "fi"),
        ("sv-FI", "sv"),
        ("de, sv;q=0.4, en;q=0.7", "en"),
        ("de", "fi"),
        ("", "fi"),
        ("en;q=nonsense, sv;q=0.1", "sv"),
        (";;;,,,q=", "fi"),
        ("x" * 100_000 + ",en", "fi"),
    ],
)
def test_browser_is_spoken_to_in_what_it_prefers_and_we_have(header: str, language: str) -> None:
    assert i18n.negotiate(header, ALL, "fi") == language


def test_language_not_allowed_by_the_brand_is_passed_over() -> None:
    assert i18n.negotiate("sv,en;q=0.5", ("fi", "en"), "fi") == "en"


def test_language_comes_back_when_the_block_ends() -> None:
    with i18n.use_language("fi"):
        with i18n.use_language("sv"):
            assert i18n.language() == "sv"
        assert i18n.language() == "fi"
    with i18n.use_language("tlh"):
        assert i18n.language() == "en"


def test_brand_text_falls_back_to_english_then_to_any() -> None:
    with i18n.use_language("fi"):
        assert i18n.pick({"fi": "kahvi", "en": "coffee"}) == "kahvi"
        assert i18n.pick({"fi": "", "en": "coffee"}) == "coffee"
        assert i18n.pick({"sv": "kaffe"}) == "kaffe"
        assert i18n.pick({}) == ""


@pytest.mark.parametrize(
    ("language", "amount"), [("fi", "1\u00a0234,50\u00a0€"), ("sv", "1\u00a0234,50\u00a0€"), ("en", "€1,234.50")]
)
def test_amount_is_written_as_in_each_language(language: str, amount: str) -> None:
    assert i18n.format_cents(123_450, language).replace("\u202f", "\u00a0") == amount


@pytest.mark.parametrize(
    ("language", "day", "with_year", "clock"),
    [
        ("fi", "30.11.", "30.11.2026", "14.05"),
        ("sv", "30 nov.", "30 nov. 2026", "14:05"),
        ("en", "30 Nov", "30 Nov 2026", "14:05"),
    ],
)
def test_day_and_time_are_written_as_in_each_language(language: str, day: str, with_year: str, clock: str) -> None:
    moment = datetime(2026, 11, 30, 12, 5, tzinfo=UTC)
    with i18n.use_language(language):
        assert i18n.format_day(date(2026, 11, 30)) == day
        assert i18n.format_day(date(2026, 11, 30), with_year=True) == with_year
        assert i18n.format_time(moment, "Europe/Helsinki") == clock


def test_sentence_without_a_translation_is_its_english_one() -> None:
    with i18n.use_language("fi"):
        assert i18n.gettext("No such sentence, 100%% %(n)s", n=3) == "No such sentence, 100% 3"
        assert i18n.gettext("No such sentence, 100%%") == "No such sentence, 100%"
        assert [i18n.ngettext("%(n)s thingy", "%(n)s thingies", n) for n in (1, 2)] == ["1 thingy", "2 thingies"]
