"""A template's pass.json made ready to be filled: what is the same in every pass is JSON already. Pure.

Filling copies of the template and encoding them costs a third of what RSA itself costs, this a tenth. A value is still
a whole JSON string, written by the encoder of `json`: nothing is pasted into a text.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from app.wallet.template_keys import APPLE_STYLES, FIELD_LISTS
from app.wallet.templates import Template
from app.wallet.values import PLACEHOLDER, UnknownPlaceholder, says_nothing

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """One flat object of pass.json, such as a field or a barcode."""

    fixed: str  # its members that are the same in every pass, as JSON, a comma before each
    filled: tuple[tuple[str, str, bool], ...]  # `,"key":`, the placeholder, and whether all is left out without it

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Part":
        """Split an object into what stands and what is filled in.

        Raises:
            UnknownPlaceholder: it holds something that is neither plain nor one whole placeholder.
        """
        fixed, filled = _split(data)
        return cls(
            f",{_encode(fixed)[1:-1]}" if fixed else "",
            tuple((f",{quoted(key)}:", name, says_nothing({key: ""})) for key, name in filled.items()),
        )

    def fill(self, values: Values) -> str:
        """Return the object as JSON without anything empty; nothing at all when its text is empty.

        Raises:
            KeyError: `values` lack a placeholder.
        """
        members = self.fixed
        for key, name, needed in self.filled:
            if value := values[name]:
                members += key + quoted(value)
            elif needed:
                return ""
        return f"{{{members[1:]}}}"


@dataclass(frozen=True, slots=True)
class Face:
    """A template's pass.json, ready to be filled."""

    style: str
    fixed: Mapping[str, Any]  # what stands beside style and barcodes, such as sharingProhibited
    looks: Mapping[str, str]  # key to placeholder of the same, such as backgroundColor
    lists: tuple[tuple[str, tuple[Part, ...]], ...]  # the fields by list, `"headerFields":[` before them
    barcodes: tuple[Part, ...]

    @classmethod
    def of(cls, data: Mapping[str, Any], notify: Mapping[str, str]) -> "Face":
        """Take a pass.json apart.

        Args:
            notify: the change message of the fields that carry news, by key.

        Raises:
            UnknownPlaceholder: as `Part.of`.
        """
        style = next(name for name in APPLE_STYLES if name in data)
        fixed, looks = _split({key: value for key, value in data.items() if key not in (style, "barcodes")})
        fields = data[style]
        lists = ((name, _parts(fields.get(name, []), notify)) for name in FIELD_LISTS)
        return cls(
            style, fixed, looks, tuple((f"{quoted(name)}:[", parts) for name, parts in lists if parts),
            _parts(data.get("barcodes", []), {}),
        )  # fmt: skip

    def top(self, values: Values) -> dict[str, Any]:
        """Return what stands beside style and barcodes. Raises UnknownPlaceholder."""
        try:
            return {**self.fixed, **{key: values[name] for key, name in self.looks.items()}}
        except KeyError as error:
            raise UnknownPlaceholder(error.args[0]) from error

    def rest(self, values: Values) -> str:
        """Return style and barcodes, as members of a JSON object.

        Raises:
            UnknownPlaceholder: `values` lack one; nothing is shown as empty by mistake.
        """
        try:
            lists = [
                f"{name}{','.join(shown)}]"
                for name, parts in self.lists
                if (shown := [text for part in parts if (text := part.fill(values))])
            ]
            codes = [text for part in self.barcodes if (text := part.fill(values))]
        except KeyError as error:
            raise UnknownPlaceholder(error.args[0]) from error
        barcodes = f',"barcodes":[{",".join(codes)}]' if codes else ""
        return f'"{self.style}":{{{",".join(lists)}}}{barcodes}'


def _encode(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _parts(objects: Sequence[Mapping[str, Any]], notify: Mapping[str, str]) -> tuple[Part, ...]:
    said = [one for one in objects if not says_nothing(one)]
    news = ({"changeMessage": notify[one["key"]]} if one.get("key") in notify else {} for one in said)
    return tuple(Part.of({**one, **more}) for one, more in zip(said, news, strict=True))


def _split(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what is the same in every pass, without what is empty, and the placeholders by key."""
    fixed: dict[str, Any] = {}
    filled: dict[str, str] = {}
    for key, value in data.items():
        found = PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
        if found is not None:
            filled[key] = found[1]
        elif "{{" in _encode(value):
            raise UnknownPlaceholder(str(value))
        elif value or value == 0:
            fixed[key] = value
    return fixed, filled


_faces: dict[str, Face] = {}  # by the template's digest
_KEEP = 256


def face_of(template: Template) -> Face:
    """Return a template's face, taken apart the first time in a process."""
    found = _faces.get(template.digest)
    if found is None:
        if len(_faces) >= _KEEP:
            _faces.clear()
        found = _faces[template.digest] = Face.of(template.apple, template.notify)
    return found
