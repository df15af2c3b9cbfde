"""The words of notifications: one file for each language, set into a plain and an HTML page.

Owns the catalogues in ``texts/`` and the two layouts; every sentence is a Jinja template that sees
the facts of one notification and nothing else (sandboxed, strict about names, escaped in HTML). A
sentence that comes out empty is left out. Refuses to own which kind is told (``domain``).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from returns_api.domain.policy.texts import LANGUAGES
from returns_api.ports.messaging import Content

TEXT_MAX: Final = 400
"""Letters of one fact: a name or a title is no place for a letter."""


class TextComposer:
    """``ports.messaging.Composer`` over the files of this package."""

    def compose(self, kind: str, language: str, facts: Mapping[str, Any]) -> Content:
        """Raises ``KeyError`` for a kind or language without words."""
        words = catalogue(language)
        seen = {name: _bounded(value) for name, value in facts.items()}
        told = {**seen, "language": language}
        subject = _render(False, words["kinds"][kind]["subject"], told)
        text, html = (_page(each, words, kind, told, subject) for each in (False, True))
        lines = [" ".join(line.split()) for line in _lines(False, words, kind, told)]
        return Content(" ".join(subject.split()), text, html, tuple(lines))

    def page(self, language: str, *, done: bool) -> str:
        words = catalogue(language)["opt_out"]
        told = {**words, "language": language, "done": done}
        return str(_template(True, _file("opt_out.html.j2")).render(told))


def _page(
    html: bool, words: Mapping[str, Any], kind: str, told: Mapping[str, Any], subject: str
) -> str:
    frame = {name: _render(html, text, told) for name, text in words["frame"].items()}
    layout = "layout.html.j2" if html else "layout.txt.j2"
    shown = {**told, **frame, "subject": subject, "lines": _lines(html, words, kind, told)}
    return str(_template(html, _file(layout)).render(shown))


def _lines(html: bool, words: Mapping[str, Any], kind: str, told: Mapping[str, Any]) -> list[Any]:
    """The sentences that have something to say."""
    lines = [_render(html, line, told) for line in words["kinds"][kind]["lines"]]
    return [line for line in lines if line]


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> Mapping[str, Any]:
    """All words of a language: ``frame``, ``kinds`` and ``opt_out``."""
    if language not in LANGUAGES:
        raise KeyError(language)
    found: Mapping[str, Any] = yaml.safe_load(_file(f"{language}.yaml"))
    return found


def _render(html: bool, text: str, facts: Mapping[str, Any]) -> Any:
    """In HTML the result is safe markup: it was escaped."""
    rendered = _template(html, text).render(facts).strip()
    return _environment(html).filters["safe"](rendered) if html else rendered


@lru_cache(maxsize=512)
def _template(html: bool, text: str) -> Any:
    return _environment(html).from_string(text)


@lru_cache(maxsize=2)
def _environment(html: bool) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        autoescape=html, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@lru_cache(maxsize=16)
def _file(name: str) -> str:
    return resources.files(__package__).joinpath("texts", name).read_text("utf-8")


def _bounded(value: Any) -> Any:
    return value[:TEXT_MAX] if isinstance(value, str) else value
