"""A template's pass.json made ready to be filled: what is the same in every pass stands apart from what is not. Pure.

Walking the whole JSON for each pass costs a fifth of the signature; this costs a thirtieth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.wallet.template_keys import APPLE_STYLES, FIELD_LISTS
from app.wallet.templates import Template
from app.wallet.values import PLACEHOLDER, UnknownPlaceholder, says_nothing

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """One flat object of pass.json, such as a field or a barcode."""

    fixed: Mapping[str, Any]
    filled: tuple[tuple[str, str], ...]  # key and placeholder
    texts: frozenset[str]  # keys without whose text the object says nothing

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Part":
        """Split an object into what stands and what is filled in.

        Raises:
            UnknownPlaceholder: it holds something that is neither plain nor one whole placeholder.
        """
        fixed, filled = {}, []
        for key, value in data.items():
            found = PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
            if found is not None:
                filled.append((key, found[1]))
            elif isinstance(value, dict | list) or (isinstance(value, str) and "{{" in value):
                raise UnknownPlaceholder(str(value))
            elif value or value == 0:
                fixed[key] = value
        return cls(fixed, tuple(filled), frozenset(key for key, _name in filled if says_nothing({key: ""})))

    def fill(self, values: Values) -> dict[str, Any] | None:
        """Return the object without anything empty; None when its text is empty.

        Raises:
            UnknownPlaceholder: `values` do not have it.
        """
        made = dict(self.fixed)
        for key, name in self.filled:
            try:
                value = values[name]
            except KeyError as error:
                raise UnknownPlaceholder(name) from error
            if value:
                made[key] = value
            elif key in self.texts:
                return None
        return made


@dataclass(frozen=True, slots=True)
class Face:
    """A template's pass.json, ready to be filled."""

    style: str
    top: Part  # what stands beside style and barcodes
    barcodes: tuple[Part, ...]
    fields: tuple[tuple[str, tuple[Part, ...]], ...]  # by list, such as headerFields

    def fill(self, values: Values) -> dict[str, list[dict[str, Any]]]:
        """Return the lists of fields, without those that say nothing; raises as `Part.fill`."""
        every = ((name, [shown for part in parts if (shown := part.fill(values))]) for name, parts in self.fields)
        return {name: shown for name, shown in every if shown}

    @classmethod
    def of(cls, data: Mapping[str, Any], notify: Mapping[str, str]) -> "Face":
        """Take a pass.json apart.

        Args:
            notify: the change message of the fields that carry news, by key.

        Raises:
            UnknownPlaceholder: as `Part.of`.
        """
        style = next(name for name in APPLE_STYLES if name in data)
        plain = {key: value for key, value in data.items() if key not in (style, "barcodes")}
        return cls(
            style,
            Part.of(plain),
            tuple(Part.of(code) for code in data.get("barcodes", []) if not says_nothing(code)),
            tuple(
                (name, tuple(Part.of(part | _news(part, notify)) for part in parts if not says_nothing(part)))
                for name in FIELD_LISTS
                if (parts := data[style].get(name))
            ),
        )


def _news(part: Mapping[str, Any], notify: Mapping[str, str]) -> dict[str, str]:
    message = notify.get(part["key"], "")
    return {"changeMessage": message} if message else {}


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
