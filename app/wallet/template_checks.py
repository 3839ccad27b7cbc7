"""Find every fault of a template folder at once, each with its file and line. Pure."""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.wallet.strings import StringsError, parse_strings
from app.wallet.values import GOOGLE_ONLY, PLACEHOLDER, PLACEHOLDERS

STYLES = ("storeCard", "coupon", "generic", "eventTicket")
KINDS = ("stamp_card", "bonus_card", "coupon", "gift_card")
FIELD_LISTS = ("headerFields", "primaryFields", "secondaryFields", "auxiliaryFields", "backFields")
REQUIRED_IMAGES = ("icon", "logo")
IMAGES = (*REQUIRED_IMAGES, "strip")
_PNG = b"\x89PNG\r\n\x1a\n"
_TOML_LINE = re.compile(r"\(at line (\d+)")


@dataclass
class Source:
    """The files of a folder as read; `faults` says what could not be."""

    folder: Path
    texts: dict[str, str] = field(default_factory=dict)  # by file name
    apple: dict[str, Any] = field(default_factory=dict)
    google: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> "Source":
        """Read all files; a broken one is a fault and leaves its part empty."""
        source = cls(folder)
        source.apple = source._json("pass.json")
        source.google = source._json("google.json")
        source._settings()
        for path in sorted(folder.glob("*.lproj/pass.strings")):
            source._words(path)
        if not source.words:
            source.fault("", 0, "no xx.lproj/pass.strings")
        return source

    def fault(self, name: str, line: int, message: str) -> None:
        """Note a fault of a file, or of the folder when `name` is empty."""
        self.faults.append(f"{self.folder.name}{'/' + name if name else ''}{f':{line}' if line else ''}: {message}")

    def line(self, name: str, needle: str, nth: int = 1) -> int:
        """Return the line of the nth place where a pattern stands in a file, 1 when it is nowhere."""
        text = self.texts.get(name, "")
        places = [found.start() for found in re.finditer(needle, text)]
        return text.count("\n", 0, places[nth - 1]) + 1 if len(places) >= nth else 1

    def _text(self, name: str) -> str | None:
        try:
            self.texts[name] = (self.folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            self.fault(name, 0, "is missing")
        except UnicodeDecodeError:
            self.fault(name, 0, "is not UTF-8")
        return self.texts.get(name)

    def _json(self, name: str) -> dict[str, Any]:
        if (text := self._text(name)) is None:
            return {}
        try:
            found = json.loads(text)
        except json.JSONDecodeError as error:
            self.fault(name, error.lineno, error.msg)
            return {}
        if not isinstance(found, dict):
            self.fault(name, 1, "must be an object")
            return {}
        return found

    def _settings(self) -> None:
        if (text := self._text("template.toml")) is None:
            return
        try:
            self.settings = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            line = _TOML_LINE.search(str(error))
            self.fault("template.toml", int(line[1]) if line else 0, str(error))

    def _words(self, path: Path) -> None:
        name = f"{path.parent.name}/{path.name}"
        if (text := self._text(name)) is None:
            return
        try:
            self.words[path.parent.stem] = parse_strings(text)
        except StringsError as error:
            self.fault(name, error.line, str(error))


def check(source: Source) -> list[str]:
    """Return the faults of a folder whose files could all be read."""
    _check_words(source)
    _check_placeholders(source, "pass.json", source.apple, PLACEHOLDERS)
    _check_placeholders(source, "google.json", source.google, PLACEHOLDERS | GOOGLE_ONLY)
    for part in ("class", "object"):
        if not isinstance(source.google.get(part), dict):
            source.fault("google.json", 1, f'has no "{part}"')
    _check_fields(source)
    _check_settings(source)
    _check_images(source)
    return source.faults


def fields(apple: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the fields of a pass in all its places."""
    style = next((_table(apple[name]) for name in STYLES if name in apple), {})
    lists = (style.get(name, []) for name in FIELD_LISTS)
    return [_table(each) for found in lists if isinstance(found, list) for each in found]


def _check_words(source: Source) -> None:
    """Every language has the same words."""
    every = {word for words in source.words.values() for word in words}
    for language, words in source.words.items():
        for missing in sorted(every - set(words)):
            source.fault(f"{language}.lproj/pass.strings", 1, f'has no word "{missing}", other languages do')


def _check_placeholders(source: Source, name: str, node: object, known: frozenset[str]) -> None:
    """Each placeholder is a whole value and stands for something."""
    words = {f"word.{word}" for words in source.words.values() for word in words}
    for text in dict.fromkeys(_strings(node)):
        if "{{" not in text and "}}" not in text:
            continue
        found = PLACEHOLDER.fullmatch(text)
        line = source.line(name, re.escape(json.dumps(text, ensure_ascii=False)))
        if found is None:
            source.fault(name, line, f'"{text}": a placeholder must be the whole value')
        elif found[1] not in known and found[1] not in words:
            source.fault(name, line, f"unknown placeholder {text}")


def _check_fields(source: Source) -> None:
    """One style; each field has a key of its own, a value, and a label that is a placeholder or a word."""
    if sum(style in source.apple for style in STYLES) != 1:
        source.fault("pass.json", 1, f"must have one of {', '.join(STYLES)}")
    known = fields(source.apple)
    for key, count in Counter(str(each.get("key", "")) for each in known).items():
        if count > 1:
            line = source.line("pass.json", rf'"key"\s*:\s*{re.escape(json.dumps(key))}', count)
            source.fault("pass.json", line, f'the field key "{key}" is used twice')
    words = {word for words in source.words.values() for word in words}
    for each in known:
        key, label = str(each.get("key", "")), str(each.get("label", ""))
        line = source.line("pass.json", rf'"key"\s*:\s*{re.escape(json.dumps(key))}')
        if not key or not each.get("value"):
            source.fault("pass.json", line, "a field needs a key and a value")
        if label and "{{" not in label and label not in words:
            source.fault("pass.json", line, f'the label "{label}" is no word of pass.strings')


def _check_settings(source: Source) -> None:
    """`template.toml` names a kind and a language that exist, and messages of fields that exist."""
    settings, name = source.settings, "template.toml"
    if settings.get("kind") not in KINDS:
        source.fault(name, source.line(name, r"(?m)^kind\b"), f"kind must be one of {', '.join(KINDS)}")
    if settings.get("default_language") not in source.words:
        source.fault(name, source.line(name, r"(?m)^default_language\b"), "default_language has no pass.strings")
    for unknown in sorted(set(settings) - {"kind", "default_language", "images", "notify"}):
        source.fault(name, source.line(name, rf"(?m)^\[?{re.escape(unknown)}\b"), f'unknown key "{unknown}"')
    keys = {each.get("key") for each in fields(source.apple)}
    for key, message in _table(settings.get("notify")).items():
        line = source.line(name, rf"(?m)^{re.escape(key)}\s*=")
        if key not in keys:
            source.fault(name, line, f'notify names the field "{key}", which pass.json does not have')
        texts = [words.get(message, message) for words in source.words.values()]
        if not all(isinstance(text, str) and "%@" in text for text in texts):
            source.fault(name, line, f'the message of "{key}" has no %@: without it no phone announces the change')


def _check_images(source: Source) -> None:
    """Icon and logo are there, drawn or as PNG files at 1x, 2x and 3x."""
    name, ways = "template.toml", _table(source.settings.get("images"))
    for image in REQUIRED_IMAGES:
        if image not in ways:
            source.fault(name, source.line(name, r"(?m)^\[images\]"), f"[images] has no {image}")
    for image, way in ways.items():
        line = source.line(name, rf"(?m)^{re.escape(image)}\s*=")
        if image not in IMAGES or way not in ("drawn", "file"):
            source.fault(name, line, f'{image} = "{way}": known are {", ".join(IMAGES)}, each "drawn" or "file"')
        elif way == "file":
            for file in (f"{image}.png", f"{image}@2x.png", f"{image}@3x.png"):
                path = source.folder / file
                if not path.is_file():
                    source.fault(name, line, f"the image {file} is missing")
                elif not path.read_bytes().startswith(_PNG):
                    source.fault(file, 0, "is no PNG")


def _table(value: object) -> dict[str, Any]:
    """Return an object or table, an empty one for anything else: the checks then say what is missing."""
    return value if isinstance(value, dict) else {}


def _strings(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value)
