"""Checkers of the message catalogues and of what pages say: each returns its faults, so that a test can plant one."""

import ast
import importlib.util
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from types import ModuleType

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from app.core import i18n
from app.core.errors import LeimaError
from tests.house import ROOT

TRANSLATED = ("fi", "sv")
NAMES = {"Leima", "UTC"}

_PLACEHOLDER = re.compile(r"%\((\w+)\)[a-z]|%%")
_TAG = re.compile(r"</?\w[^>]*>")
_ENTITY = re.compile(r"&#?\w+;")
_NOT_WORDS = "kind|body_class|main_attributes"  # blocks that fill attributes
_WORD = re.compile(r"[^\W\d_]{2,}")


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("messages", ROOT / ".ci" / "messages.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


TOOL = _tool()


def pairs(message: Message) -> list[tuple[str, str]]:
    """Return each form of a sentence beside its translation."""
    ids = message.id if isinstance(message.id, (list, tuple)) else (message.id,)
    texts = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
    return list(zip(ids, [*texts, *("",) * (len(ids) - len(texts))], strict=False))


def sentences(catalog: Catalog) -> Iterator[Message]:
    """Give the entries of a catalogue without its header."""
    return (message for message in catalog if message.id)


def missing(catalog: Catalog, found: Catalog) -> list[str]:
    """Find sentences of the code that a catalogue does not have, or has with another plural."""
    return [str(m.id) for m in sentences(found) if m.id != getattr(catalog.get(pairs(m)[0][0]), "id", None)]


def unfinished(catalog: Catalog) -> list[str]:
    """Find what is guessed, or has a form without words."""
    return [str(m.id) for m in sentences(catalog) if m.fuzzy or not all(text.strip() for _id, text in pairs(m))]


def differing(catalog: Catalog, part: Callable[[str], object]) -> list[str]:
    """Find translations in which something is not as in the English sentence, form by form."""
    return [text for message in sentences(catalog) for one, text in pairs(message) if part(one) != part(text)]


def placeholders(text: str) -> object:
    """Return what is filled in, and the percent signs that are printed."""
    return sorted({match[0] for match in _PLACEHOLDER.finditer(text)}), text.count("%%")


def stray_percents(text: str) -> object:
    """Tell whether a percent sign stands alone, which breaks filling in."""
    return "%" in _PLACEHOLDER.sub("", text)


def markup(text: str) -> object:
    """Return tags and entities; templates print a translation as it is."""
    return _TAG.findall(text), _ENTITY.findall(text), "&" in text


def ends(text: str) -> object:
    """Return the spaces around a sentence."""
    return re.findall(r"^\s*|\s*$", text)


def english(catalog: Catalog, same: set[str]) -> list[str]:
    """Find sentences that were left in English."""
    return [
        one
        for message in sentences(catalog)
        for one, text in pairs(message)
        if one == text and one not in same and _WORD.search(_PLACEHOLDER.sub("", one))
    ]


def quotes(catalog: Catalog) -> list[str]:
    """Find quotation marks and apostrophes that neither Finnish nor Swedish uses."""
    texts = [text for message in sentences(catalog) for _one, text in pairs(message)]
    return [text for text in texts if re.search("[\"'“‘]", _TAG.sub("", text))]


def load(language: str) -> Catalog:
    """Read a catalogue of the checkout."""
    with TOOL.path_of(language).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


class Seen(HTMLParser):
    """Collects the words that a page shows or speaks: texts, and the attributes that are read out."""

    SPOKEN = (
        "aria-label",
        "placeholder",
        "title",
        "alt",
        "data-empty",
        "data-plain",
        "data-asking",
        "data-on",
        "data-off",
    )

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.language = ""
        self._silent = 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._silent += tag in ("script", "style")
        self.language = (given.get("lang") or "") if tag == "html" else self.language
        spoken = (*self.SPOKEN, *(("content",) if given.get("name") == "description" else ()))
        self.texts += [value for name in spoken if (value := given.get(name))]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.texts.append(" ".join(data.split(" ")).strip())


def bare_words(source: str) -> list[str]:
    """Find words of a template that no catalogue can reach."""
    source = re.sub(r"\{#.*?#\}", "", source, flags=re.DOTALL)
    source = re.sub(rf"\{{% block ({_NOT_WORDS}) %\}}.*?\{{% endblock %\}}", "", source, flags=re.DOTALL)
    source = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", " ", source, flags=re.DOTALL)
    return [text for text in Seen(source).texts if set(_WORD.findall(text)) - NAMES]


def bare_errors(source: str, known: set[str]) -> list[str]:
    """Find refusals whose sentence is written as it is."""
    return [
        f"line {node.lineno}: {name}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant | ast.JoinedStr)
        if (name := getattr(node.func, "id", getattr(node.func, "attr", ""))) in known
    ]


def errors(of: type[LeimaError]) -> set[str]:
    """Return the names of a kind of refusal and of all below it; those that tests make do not count."""
    own = {of.__name__} if of.__module__.startswith("app.") else set()
    return own.union(*(errors(kind) for kind in of.__subclasses__()))


def left_english(texts: list[str], language: str) -> list[str]:
    """Find sentences of the code that a page shows as they are, though the language has its own."""
    sources: list[re.Pattern[str]] = []
    for one, forms in i18n.catalog(language).items():
        literal = _PLACEHOLDER.sub("", one)
        if one in forms or not _WORD.search(literal):
            continue
        text = ".+".join(re.escape(part) for part in re.split(r"%\(\w+\)s", one.replace("%%", "%")))
        sources.append(re.compile(text if len(literal) > 14 else rf"\A{text}\Z"))
    return [text for text in texts if any(source.search(text) for source in sources)]
