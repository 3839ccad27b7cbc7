"""Extracts every sentence people read and brings the three catalogues up to date; says what is not translated yet.

`messages.py` writes app/core/translations/*/LC_MESSAGES/messages.po; `messages.py --check` writes nothing and fails
where a catalogue is not what it would write. A sentence that is no longer used leaves the catalogues. The order is that
of the sources and no line numbers are written, so a catalogue changes only where a sentence does.
"""

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
SOURCE = "en"  # the language of the sentences in the code: its catalogue repeats them
LANGUAGES = ("fi", "sv", SOURCE)
METHODS = [("app/**/templates/**.html", "jinja2"), ("app/**.py", "python")]
OPTIONS = {"app/**/templates/**.html": {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
HEADER = """\
# Sentences of Leima. `make messages` adds and removes them; only the msgstr lines are written by hand.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""


def path_of(language: str) -> Path:
    """Return where a language's catalogue is."""
    return ROOT / "app" / "core" / "translations" / language / "LC_MESSAGES" / "messages.po"


def extract(root: Path = ROOT) -> Catalog:
    """Return all sentences of a checkout, in the order of its files."""
    found = Catalog(fuzzy=False)
    for name, _line, message, comments, context in extract_from_dir(
        root, METHODS, OPTIONS, KEYWORDS, directory_filter=_is_ours
    ):
        found.add(message, None, [(name, 0)], auto_comments=comments, context=context)
    return found


def _is_ours(folder: str | Path) -> bool:
    name = Path(folder).name
    return not name.startswith((".", "_")) and name not in ("build", "data", "tests", "docs", "migrations", "pwa")


def updated(language: str, found: Catalog, *, path: Path | None = None) -> Catalog:
    """Return a language's catalogue with the sentences of today; nothing is guessed for new ones."""
    old = path or path_of(language)
    known = Catalog(locale=language)
    if old.exists():
        with old.open("rb") as file:
            known = read_po(file, locale=language, abort_invalid=True)
    fresh = Catalog(locale=language, fuzzy=False)
    for message in found:
        if not message.id:
            continue
        before = known.get(_first(message))
        text = before.string if before and before.pluralizable == message.pluralizable and not before.fuzzy else None
        if language == SOURCE:
            text = message.id
        elif text is None:
            text = ("", "") if message.pluralizable else ""
        fresh.add(message.id, text, [(name, 0) for name, _line in message.locations])
    return fresh


def _first(message: Message) -> str:
    return str(message.id[0]) if isinstance(message.id, (list, tuple)) else str(message.id)


def written(language: str, catalog: Catalog) -> str:
    """Return a catalogue as its file's text."""
    body = BytesIO()
    write_po(body, catalog, width=0, omit_header=True, include_lineno=False)
    return HEADER.format(language=language) + body.getvalue().decode().lstrip("\n")


def untranslated(catalog: Catalog) -> list[str]:
    """Return the sentences that have no translation, or not every form of it."""
    return [
        _first(message)
        for message in catalog
        if message.id and not all(message.string if isinstance(message.string, (list, tuple)) else (message.string,))
    ]


def main(arguments: list[str]) -> int:
    """Write or check the three catalogues; return the exit code."""
    check, stale, missing = "--check" in arguments, False, 0
    found = extract()
    for language in LANGUAGES:
        path, catalog = path_of(language), updated(language, found)
        text = written(language, catalog)
        changed = not path.exists() or path.read_text(encoding="utf-8") != text
        stale |= changed
        if changed and not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        empty = untranslated(catalog)
        missing += len(empty)
        print(f"{language}: {len(catalog)} sentences, {len(empty)} untranslated")
        for sentence in empty:
            print(f"    {sentence}")
    if check and stale:
        print("the catalogues are out of date: make messages", file=sys.stderr)
    return 1 if check and (stale or missing) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
