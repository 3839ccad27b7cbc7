"""Read and write `pass.strings`, Apple's file of words in one language. Pure."""

import re

_PAIR = re.compile(r'"((?:[^"\\]|\\.)*)"\s*=\s*"((?:[^"\\]|\\.)*)"\s*;')
_SPACE = re.compile(r"(?:\s|/\*.*?\*/|//[^\n]*)+", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


class StringsError(ValueError):
    """The text is no strings file; `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def parse_strings(text: str) -> dict[str, str]:
    """Return the words of a strings file.

    Raises:
        StringsError: something else than `"key" = "word";` and comments, or a key used twice.
    """
    words: dict[str, str] = {}
    at, line, counted = 0, 1, 0
    while at < len(text):
        if space := _SPACE.match(text, at):
            at = space.end()
            continue
        line, counted = line + text.count("\n", counted, at), at
        pair = _PAIR.match(text, at)
        if pair is None:
            raise StringsError('expected "key" = "word";', line)
        key, word = (_unescape(part) for part in pair.groups())
        if key in words:
            raise StringsError(f'"{key}" is used twice', line)
        words[key] = word
        at = pair.end()
    return words


def encode_strings(words: dict[str, str]) -> bytes:
    """Return the file as it goes into a pass: UTF-16 with its mark, which Apple recommends."""
    lines = (f'"{_escape(key)}" = "{_escape(word)}";\n' for key, word in sorted(words.items()))
    return b"\xff\xfe" + "".join(lines).encode("utf-16-le")


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
