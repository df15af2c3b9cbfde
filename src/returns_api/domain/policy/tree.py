"""YAML or JSON text into a plain tree that remembers the line of every value.

Owns the reading of untrusted text: size, depth and item limits, duplicate keys, aliases, tags,
numbers that are not exact. It reads the part of YAML that JSON also has (mappings, lists, scalars);
anchors, aliases, tags, merge keys and several documents are refused, not resolved. Only ``true``
and ``false`` are booleans, so that the country ``NO`` stays a country. Refuses to own what the
values mean. A fault is one finding with line, column and, where there is one, a suggestion.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import yaml

from returns_api.domain.policy.findings import Finding, Path, invalid, write_path
from returns_api.domain.policy.json_tree import JsonFault, read_json
from returns_api.domain.policy.vocabulary import Severity

MAX_BYTES: Final = 1_000_000
MAX_DEPTH: Final = 12
MAX_VALUES: Final = 200_000
MAX_SCALAR: Final = 2_000
"""Longest single value, in characters."""

Value = str | int | Decimal | bool | None | list["Value"] | dict[str, "Value"]

_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}")
_LOOKS_NUMERIC: Final = re.compile(
    r"[-+]?(\.[0-9]+|[0-9][0-9_]*\.?[0-9_]*([eE][-+]?[0-9]+)?|0[xob][0-9a-fA-F_]+|\.(inf|nan))",
    re.IGNORECASE,
)
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS: Final = {"true": True, "True": True, "TRUE": True,
                    "false": False, "False": False, "FALSE": False}  # fmt: skip
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the text; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Tree:
    """A document as plain data, and where each value stands."""

    value: Value
    marks: dict[Path, Mark]

    def mark(self, path: Path) -> Mark:
        """The place of ``path``, or of the closest value around it."""
        while path not in self.marks and path:
            path = path[:-1]
        return self.marks.get(path, Mark(1, 1))


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read."""

    path: Path
    value: list[Value] | dict[str, Value]
    key: str | None = None
    keys: set[str] = field(default_factory=set)


_SUGGESTIONS: Final = {
    "syntax": "Look for a tab (write spaces), an open quote or bracket, or a missing colon.",
    "too_deep": "A policy needs no more than five levels; look for brackets that never close.",
    "too_large": "Split it by market or use groups.",
    "too_long": "Shorten it.",
    "empty": "Begin with the line: policy: returns-policy/v1",
    "key": "Write a name, a colon and a value.",
    "encoding": "Save it as UTF-8.",
    "number": "Write digits, or put the text into quotes.",
    "duplicate_key": "Keep one.",
}
"""What to do about a fault, where the place of it does not say more."""


class _Fault(Exception):
    def __init__(
        self, code: str, message: str, mark: Mark, path: Path = (), suggestion: str | None = None
    ) -> None:
        super().__init__(message)
        self.finding = Finding(
            f"document.{code}", Severity.ERROR, message, write_path(path), mark.line, mark.column,
            suggestion or _SUGGESTIONS.get(code),
        )  # fmt: skip


def read_tree(source: bytes | str) -> Tree:
    """Read a policy text. Raises ``PolicyInvalid`` with one finding."""
    try:
        text = _text(source)
        if text.lstrip()[:1] in {"{", "["} and _is_json(text):
            return _from_json(text)
        return _from_yaml(text)
    except _Fault as fault:
        raise invalid([fault.finding]) from None


def _text(source: bytes | str) -> str:
    start = Mark(1, 1)
    size = len(source) if isinstance(source, bytes) else len(source.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        message = f"The document has {size} bytes; at most {MAX_BYTES} are read."
        raise _Fault("too_large", message, start, suggestion="Split it by market or use groups.")
    try:
        text = source.decode("utf-8") if isinstance(source, bytes) else source
        text.encode("utf-8")
    except UnicodeError as error:
        position = getattr(error, "start", 0)
        line = source[:position].count(b"\n" if isinstance(source, bytes) else "\n") + 1  # type: ignore[arg-type]
        message = "The document is not UTF-8 text."
        raise _Fault("encoding", message, Mark(line, 1), suggestion="Save it as UTF-8.") from None
    if text.startswith("\ufeff"):
        raise _Fault("encoding", "The document begins with a byte order mark.", start,
                     suggestion="Save it as UTF-8 without BOM.")  # fmt: skip
    if not text.strip():
        raise _Fault("empty", "The document is empty.", start)
    return text


def _is_json(text: str) -> bool:
    """Flow-style YAML may begin like JSON; only a JSON text is read as JSON."""
    try:
        json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return '"policy"' in text[:200] or text.count('"') > text.count("\n")
    return True


def _from_json(text: str) -> Tree:
    marks: dict[Path, Mark] = {}
    lines = _line_starts(text)
    try:
        value = read_json(
            text, lambda path, at: marks.__setitem__(path, _mark_at(lines, at)),
            number=_json_number, max_depth=MAX_DEPTH, max_values=MAX_VALUES,
            max_scalar=MAX_SCALAR,
        )  # fmt: skip
    except JsonFault as fault:
        raise _Fault(
            fault.code, fault.message, _mark_at(lines, fault.at), fault.path, fault.suggestion
        ) from None
    return Tree(value, marks)


def _json_number(text: str) -> Value | None:
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]


def _mark_at(lines: list[int], at: int) -> Mark:
    low, high = 0, len(lines)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if lines[middle] <= at else (low, middle)
    return Mark(low + 1, at - lines[low] + 1)


def _mark(where: Any) -> Mark:
    """A place as YAML counts it, from 0; a missing one is the beginning."""
    return Mark(where.line + 1, where.column + 1) if where else Mark(1, 1)


def _events(text: str) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        where = error.problem_mark or error.context_mark
        mark = _mark(where)
        raise _Fault("syntax", f"This is not YAML: {error.problem}.", mark) from None
    except yaml.YAMLError as error:  # characters that YAML does not allow
        text_of = str(error).splitlines()[0]
        raise _Fault("syntax", f"This is not YAML: {text_of}.", Mark(1, 1)) from None


def _from_yaml(text: str) -> Tree:
    marks: dict[Path, Mark] = {}
    root: list[Value] = []
    stack = [_Open((), root)]
    documents = count = 0
    for event in _events(text):
        mark = _mark(event.start_mark)
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _Fault("several_documents", "There is more than one document.", mark,
                             suggestion="Remove everything from the line “---” on.")  # fmt: skip
        elif isinstance(event, yaml.NodeEvent):
            count += 1
            if count > MAX_VALUES:
                raise _Fault("too_large", f"More than {MAX_VALUES} values.", mark)
            _node(event, stack, marks, mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
    return Tree(root[0] if root else None, marks)


def _node(event: yaml.NodeEvent, stack: list[_Open], marks: dict[Path, Mark], mark: Mark) -> None:
    """Add one node to the collection on top of ``stack``."""
    top = stack[-1]
    if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
        raise _Fault("alias", "Anchors and aliases (& and *) are not read.", mark, top.path,
                     "Write the value out, or move it into a rule of its own.")  # fmt: skip
    tag = getattr(event, "tag", None)
    if tag not in {None, "!"}:
        raise _Fault("tag", f"Tags such as {tag} are not read.", mark, top.path,
                     "Remove the tag.")  # fmt: skip
    if isinstance(top.value, dict) and top.key is None:
        _key(event, top, marks, mark)
        return
    path = _child_path(top, at_root=len(stack) == 1)
    marks.setdefault(path, mark)
    if isinstance(event, yaml.ScalarEvent):
        _put(top, _scalar(event, path, mark))
        return
    value: list[Value] | dict[str, Value] = {} if isinstance(event, yaml.MappingStartEvent) else []
    _put(top, value)
    stack.append(_Open(path, value))
    if len(stack) - 1 > MAX_DEPTH:
        raise _Fault("too_deep", f"Values are nested deeper than {MAX_DEPTH}.", mark, path)


def _key(event: yaml.NodeEvent, top: _Open, marks: dict[Path, Mark], mark: Mark) -> None:
    if not isinstance(event, yaml.ScalarEvent) or len(event.value) > MAX_SCALAR:
        raise _Fault("key", "A key must be a plain word.", mark, top.path)
    key = event.value
    if key == "<<":
        raise _Fault("merge", "Merge keys (<<) are not read.", mark, top.path,
                     "Write the values out.")  # fmt: skip
    if key in top.keys:
        first = marks[(*top.path, key)]
        raise _Fault("duplicate_key", f"“{key[:60]}” stands here a second time.", mark,
                     (*top.path, key), f"The first is on line {first.line}; keep one.")  # fmt: skip
    top.keys.add(key)
    top.key = key
    marks[(*top.path, key)] = mark


def _child_path(top: _Open, *, at_root: bool) -> Path:
    if at_root:
        return ()
    if isinstance(top.value, list):
        return (*top.path, len(top.value))
    return (*top.path, top.key or "")


def _put(top: _Open, value: Value) -> None:
    if isinstance(top.value, list):
        top.value.append(value)
    else:
        top.value[top.key or ""] = value
        top.key = None


def _scalar(event: yaml.ScalarEvent, path: Path, mark: Mark) -> Value:
    text: str = event.value
    if len(text) > MAX_SCALAR:
        raise _Fault("too_long", f"The value is longer than {MAX_SCALAR} characters.", mark, path)
    if not event.implicit[0]:  # quoted: text as it stands
        return text
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return Decimal(text)
    if _LOOKS_NUMERIC.fullmatch(text):
        raise _Fault("number", f"“{text[:60]}” is not a plain number.", mark, path,
                     "Write digits and a point: 4.90. Quote it if it is a name.")  # fmt: skip
    return text
