"""The files of a template folder as read, wherever they come from: a folder, an upload, rows of the database. Pure."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.wallet import json_lines
from app.wallet.json_lines import JsonError, Lined
from app.wallet.strings import StringsError, parse_strings

Files = Mapping[str, bytes]  # by path inside the folder, such as `fi.lproj/pass.strings`

IMAGES = ("icon", "logo", "strip")
SCALES = ("", "@2x", "@3x")
MOST_FILES, MOST_BYTES = 60, 2_000_000
MOST_BYTES_EACH = {"picture": 512_000, "text": 64_000}
NAMES = re.compile(
    r"(?:pass\.json|google\.json|template\.toml|(?:fi|sv|en)\.lproj/pass\.strings"
    r"|(?:icon|logo|strip(?:-(?:0|[1-9][0-9]?))?)(?:@[23]x)?\.png)"
)
_WORDS = re.compile(r"([a-z]{2})\.lproj/pass\.strings")
_STRIP = re.compile(r"strip-(\d+)(?:@[23]x)?\.png")
_TOML_LINE = re.compile(r"\(at line (\d+)")
_NOTHING = Lined({}, {})


@dataclass
class Source:
    """What a folder's files say; `faults` says what could not be read."""

    name: str  # as faults call the folder
    files: Files = field(repr=False)
    texts: dict[str, str] = field(default_factory=dict, repr=False)  # by path
    apple: Lined = _NOTHING
    google: Lined = _NOTHING
    settings: dict[str, Any] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)  # by language
    faults: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, name: str, files: Files) -> "Source":
        """Read all files; a broken one is a fault and leaves its part empty."""
        source = cls(name, files)
        source.apple = source._json("pass.json")
        source.google = source._json("google.json")
        source._settings()
        for path in sorted(files):
            if found := _WORDS.fullmatch(path):
                source._words(path, found[1])
        if not any(_WORDS.fullmatch(path) for path in files):
            source.fault("", 0, "no xx.lproj/pass.strings")
        return source

    @property
    def ways(self) -> dict[str, Any]:
        """Return where each image comes from, as `template.toml` says."""
        return table(self.settings.get("images"))

    def fault(self, path: str, line: int, message: str) -> None:
        """Note a fault of a file, or of the folder when `path` is empty."""
        self.faults.append(f"{self.name}{'/' + path if path else ''}{f':{line}' if line else ''}: {message}")

    def line(self, path: str, pattern: str) -> int:
        """Return the line where a pattern first stands in a file, 1 when it is nowhere."""
        found = re.search(pattern, self.texts.get(path, ""))
        return self.texts[path].count("\n", 0, found.start()) + 1 if found else 1

    def _text(self, path: str) -> str | None:
        if path not in self.files:
            self.fault(path, 0, "is missing")
            return None
        try:
            self.texts[path] = self.files[path].decode("utf-8").replace("\r\n", "\n")
        except UnicodeDecodeError:
            self.fault(path, 0, "is not UTF-8")
        return self.texts.get(path)

    def _json(self, path: str) -> Lined:
        if (text := self._text(path)) is None:
            return _NOTHING
        try:
            return json_lines.parse(text)
        except JsonError as error:
            self.fault(path, error.line, str(error))
            return _NOTHING

    def _settings(self) -> None:
        if (text := self._text("template.toml")) is None:
            return
        try:
            self.settings = tomllib.loads(text)
        except (ValueError, RecursionError) as error:  # tomllib's own, and a number of thousands of digits
            line = _TOML_LINE.search(str(error))
            self.fault("template.toml", int(line[1]) if line else 0, str(error))

    def _words(self, path: str, language: str) -> None:
        if (text := self._text(path)) is None:
            return
        try:
            self.words[language] = parse_strings(text)
        except StringsError as error:
            self.fault(path, error.line, str(error))


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by their path in it, but for hidden ones.

    Raises:
        OSError: one of them cannot be read.
    """
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    named = ((path.relative_to(folder), path) for path in paths)
    return {
        name.as_posix(): path.read_bytes() for name, path in named if not any(p.startswith(".") for p in name.parts)
    }


def limits(name: str, files: Mapping[str, int]) -> list[str]:
    """Return what is wrong with the names and sizes (path → bytes) of a folder that is not ours."""
    faults = [f"{name}/{path}: is no file of a template" for path in sorted(files) if not NAMES.fullmatch(path)]
    for path, size in sorted(files.items()):
        most = MOST_BYTES_EACH["picture" if path.endswith(".png") else "text"]
        if size > most:
            faults.append(f"{name}/{path}: is larger than {most:,} bytes")
    if len(files) > MOST_FILES:
        faults.append(f"{name}: has more than {MOST_FILES} files")
    if sum(files.values()) > MOST_BYTES:
        faults.append(f"{name}: is larger than {MOST_BYTES:,} bytes")
    return faults


def strip_counts(files: Files) -> tuple[int, ...]:
    """Return the N of the pictures `strip-N.png`, in order."""
    return tuple(sorted({int(found[1]) for path in files if (found := _STRIP.fullmatch(path))}))


def picture_names(image: str) -> tuple[str, ...]:
    """Return the files of an image at its three scales, such as `icon.png`, `icon@2x.png`, `icon@3x.png`."""
    return tuple(f"{image}{scale}.png" for scale in SCALES)


def table(value: object) -> dict[str, Any]:
    """Return an object or table, an empty one for anything else: the checks then say what is missing."""
    return value if isinstance(value, dict) else {}
