"""Find every fault of a template folder at once, each with its file and line. Pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from app.wallet import template_images
from app.wallet.json_lines import Lined, Path
from app.wallet.placeholders import KINDS, Kind
from app.wallet.template_keys import (
    APPLE_KEYS,
    APPLE_STYLES,
    BARCODE_KEYS,
    FIELD_KEYS,
    FIELD_LISTS,
    GOOGLE_KEYS,
    OURS,
)
from app.wallet.template_source import Source, table
from app.wallet.values import PLACEHOLDER

_RGB = re.compile(r"rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)")
_COLORS = ("backgroundColor", "foregroundColor", "labelColor")
_NEEDED = ("description", "organizationName")
_SETTINGS = ("kind", "default_language", "images", "notify")
MOST_WORDS = 200  # of one language


def check(source: Source, *, kind: str = "", own: frozenset[str] = frozenset()) -> list[str]:
    """Return the faults of a folder whose files could all be read.

    Args:
        kind: the one that it has to be; any when empty.
        own: images whose pictures a brand laid over it, so that `template.toml` does not decide.
    """
    found = KINDS.get(str(source.settings.get("kind")))
    _check_settings(source, kind)
    _check_words(source, found)
    _check_apple(source)
    _check_fields(source)
    template_images.check(source, own)
    if found is not None:
        _check_placeholders(source, "pass.json", source.apple, found.names)
        _check_placeholders(source, "google.json", source.google, found.names | found.google_names)
        _check_codes(source, found)
        _check_google(source, GOOGLE_KEYS[str(source.settings["kind"])])
    return source.faults


def _check_settings(source: Source, wanted: str) -> None:
    """`template.toml` names a kind and a language that exist, and messages of fields that exist."""
    settings, name = source.settings, "template.toml"
    kind = str(settings.get("kind"))
    if kind not in KINDS or wanted not in ("", kind):
        known = wanted or f"one of {', '.join(KINDS)}"
        source.fault(name, source.line(name, r"(?m)^kind\b"), f"kind must be {known}")
    if str(settings.get("default_language")) not in source.words:
        source.fault(name, source.line(name, r"(?m)^default_language\b"), "default_language has no pass.strings")
    for unknown in sorted(set(settings) - set(_SETTINGS)):
        source.fault(name, source.line(name, rf"(?m)^\[?{re.escape(unknown)}\b"), f'unknown key "{unknown}"')
    for part in ("images", "notify"):
        if not isinstance(settings.get(part, {}), dict):
            source.fault(name, source.line(name, rf"(?m)^{part}\b"), f"[{part}] must be a table")
    keys = {str(part.get("key")) for _path, part in fields(source.apple.data)}
    for key, message in table(settings.get("notify")).items():
        line = source.line(name, rf"(?m)^{re.escape(key)}\s*=")
        if key not in keys:
            source.fault(name, line, f'notify names the field "{key}", which pass.json does not have')
        texts = [words.get(message) or message for words in source.words.values()] if isinstance(message, str) else [""]
        if not all("%@" in text for text in texts):
            source.fault(name, line, f'the message of "{key}" has no %@: without it no phone announces the change')


def _check_words(source: Source, kind: Kind | None) -> None:
    """Every language has the same words, and those that the values of its kind are made with."""
    every = {word for words in source.words.values() for word in words} | set(kind.words if kind else ())
    for language, words in source.words.items():
        path = f"{language}.lproj/pass.strings"
        for missing in sorted(every - set(words)):
            source.fault(path, 1, f'has no word "{missing}"')
        if len(words) > MOST_WORDS:
            source.fault(path, 1, f"has more than {MOST_WORDS} words")


def _check_placeholders(source: Source, name: str, node: Lined, known: frozenset[str]) -> None:
    """Each placeholder is a whole value and stands for something."""
    words = {f"word.{word}" for words in source.words.values() for word in words}
    for path, text in _strings(node.data):
        if "{{" not in text and "}}" not in text:
            continue
        found = PLACEHOLDER.fullmatch(text)
        if found is None:
            source.fault(name, line_of(node, path), f'"{text}": a placeholder must be the whole value')
        elif found[1] not in known and found[1] not in words:
            source.fault(name, line_of(node, path), f"unknown placeholder {text}")


def _check_apple(source: Source) -> None:
    """One style, nothing that is Leima's to say, colors that a phone can read."""
    name, face = "pass.json", source.apple
    if sum(style in face.data for style in APPLE_STYLES) != 1:
        source.fault(name, 1, f"must have one of {', '.join(APPLE_STYLES)}")
    _check_keys(source, name, face, (), face.data, APPLE_KEYS)
    for key in _NEEDED:
        if not isinstance(face.data.get(key), str) or not face.data[key]:
            source.fault(name, line_of(face, (key,)), f'needs "{key}", a text')
    for key in _COLORS:
        value = face.data.get(key, "{{brand.background}}")
        if not isinstance(value, str) or not ("{{" in value or _RGB.fullmatch(value)):
            source.fault(name, line_of(face, (key,)), f"{key} must be a placeholder or rgb(red, green, blue)")
    for number, barcode in enumerate(_list(face.data.get("barcodes"))):
        _check_keys(source, name, face, ("barcodes", number), table(barcode), BARCODE_KEYS)


def _check_fields(source: Source) -> None:
    """Each field has a key of its own, a value as text, and a label that is a placeholder or a word."""
    name, face, seen = "pass.json", source.apple, set()
    words = {word for words in source.words.values() for word in words}
    for style in (style for style in APPLE_STYLES if style in face.data):
        _check_keys(source, name, face, (style,), table(face.data[style]), frozenset(FIELD_LISTS))
    for path, part in fields(face.data):
        key, label, value = (part.get(each, "") for each in ("key", "label", "value"))
        line = line_of(face, (*path, "key"))
        _check_keys(source, name, face, path, part, FIELD_KEYS)
        if not isinstance(key, str) or not key or value == "":
            source.fault(name, line, "a field needs a key and a value")
        elif key in seen:
            source.fault(name, line, f'the field key "{key}" is used twice')
        seen.add(str(key))
        if not isinstance(value, str) and not {"numberStyle", "currencyCode"} & set(part):
            source.fault(name, line_of(face, (*path, "value")), f'the value of "{key}" must be a text')
        if not isinstance(label, str) or (label and "{{" not in label and label not in words):
            source.fault(name, line_of(face, (*path, "label")), f'the label "{label}" is no word of pass.strings')


def _check_codes(source: Source, kind: Kind) -> None:
    """The till can read the pass: its barcode is the kind's own, in both wallets."""
    wanted, face = f"{{{{{kind.code}}}}}", source.apple
    codes = [table(each).get("message") for each in _list(face.data.get("barcodes"))]
    if wanted not in codes:
        source.fault("pass.json", line_of(face, ("barcodes",)), f'needs a barcode with "message": "{wanted}"')
    held, names = table(source.google.data.get("object")), [f"{{{{{code}}}}}" for code in kind.google_codes]
    shown = (table(held.get("barcode")).get("value"), table(held.get("rotatingBarcode")).get("valuePattern"))
    if not any(code in names for code in shown):
        place: Path = ("object", "barcode") if "barcode" in held else ("object", "rotatingBarcode")
        source.fault("google.json", line_of(source.google, place), f"needs a barcode with {' or '.join(names)}")


def _check_google(source: Source, known: dict[str, frozenset[str]]) -> None:
    """A class and an object, nothing in them that is Leima's to say."""
    name, payload = "google.json", source.google
    _check_keys(source, name, payload, (), payload.data, frozenset(known))
    for part, keys in known.items():
        if not isinstance(payload.data.get(part), dict):
            source.fault(name, 1, f'has no "{part}"')
        _check_keys(source, name, payload, (part,), table(payload.data.get(part)), keys)
    status = table(payload.data.get("class")).get("reviewStatus")
    if status != "UNDER_REVIEW":
        source.fault(name, line_of(payload, ("class", "reviewStatus")), "reviewStatus must be UNDER_REVIEW")


def _check_keys(
    source: Source, name: str, node: Lined, place: Path, given: Iterable[str], known: frozenset[str]
) -> None:
    for key in given:
        if key not in known:
            message = f'"{key}" is set by Leima' if key in OURS else f'unknown key "{key}"'
            source.fault(name, line_of(node, (*place, key)), message)


def fields(apple: dict[str, Any]) -> list[tuple[Path, dict[str, Any]]]:
    """Return the fields of a pass in all its places, with their paths."""
    style = next((name for name in APPLE_STYLES if name in apple), "")
    lists = ((name, _list(table(apple.get(style)).get(name))) for name in FIELD_LISTS)
    return [((style, name, number), table(each)) for name, found in lists for number, each in enumerate(found)]


def line_of(node: Lined, path: Path) -> int:
    """Return the line of a path, or of the nearest thing around it that stands in the file."""
    while path and path not in node.lines:
        path = path[:-1]
    return node.lines.get(path, 1)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _strings(node: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _strings(value, (*path, key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _strings(value, (*path, number))
