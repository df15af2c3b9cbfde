"""Sentences: codes and values of the engine in the languages of buyers.

Owns the catalogues in ``texts/`` (one file per language, the same keys in each), the way periods,
amounts and shares are written in a language, and the fall-back: a language that lacks a sentence
gets the English one. Refuses to own which sentence is said (``explain``, ``publish``).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Final

from returns_api.domain.calendars import Unit
from returns_api.domain.money import exponent, format_minor
from returns_api.domain.policy.tree import read_tree
from returns_api.domain.policy.values import Duration, write_ppm

LANGUAGES: Final = ("en", "de", "fr", "es", "zh")
"""Languages with a catalogue; the first is the fall-back."""

_COMMA: Final = frozenset({"de", "fr", "es"})
_UNIT_KEYS: Final = {unit: unit.value.replace(" ", "_") for unit in Unit}


def language_of(locale: str) -> str:
    """The catalogue for a locale such as ``de-AT`` or ``zh_CN``; English where there is none."""
    language = locale.replace("_", "-").split("-")[0].lower()
    return language if language in LANGUAGES else LANGUAGES[0]


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> Mapping[str, str]:
    """All sentences of a language. Raises ``KeyError`` for a language without a catalogue."""
    if language not in LANGUAGES:
        raise KeyError(language)
    source = resources.files(__package__).joinpath("texts", f"{language}.yaml").read_bytes()
    found = read_tree(source).value
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def knows(key: str) -> bool:
    """Whether there is a sentence for ``key``."""
    return key in catalogue(LANGUAGES[0])


def say(key: str, language: str, **words: str) -> str:
    """The sentence for ``key`` with ``words`` filled in; English where the language lacks it.

    A key that no language knows gives the key itself, so that a new code never breaks an answer.
    """
    sentence = catalogue(language).get(key) or catalogue(LANGUAGES[0]).get(key)
    return sentence.format(**words) if sentence is not None else key


def period(duration: Duration, language: str) -> str:
    """A duration in words: ``30 Tage``."""
    one = duration.amount == 1 or (language == "fr" and duration.amount == 0)
    form = "one" if one else "other"
    return say(f"unit.{_UNIT_KEYS[duration.unit]}.{form}", language, n=str(duration.amount))


def seconds(value: int, language: str) -> str:
    """Elapsed seconds in words: whole days where they are days, else hours."""
    days, rest = divmod(value, 86_400)
    if rest == 0 and days:
        return period(Duration(days, Unit.DAYS), language)
    return period(Duration(-(-value // 3_600), Unit.HOURS), language)


def amount(minor: int, currency: str, language: str) -> str:
    """An amount with its currency: ``4,90 EUR``. Raises ``Invalid`` for an unknown currency."""
    text = format_minor(minor, currency)
    if language in _COMMA and exponent(currency):
        text = text.replace(".", ",")
    return f"{text} {currency}"


def share(ppm: int, language: str) -> str:
    """A share: ``12,5 %``."""
    text = write_ppm(ppm)
    if language in _COMMA:
        text = text.replace(".", ",").replace("%", "\u00a0%")
    return text


def joined(words: list[str], language: str, *, key: str = "list.or") -> str:
    """Words as a list in a sentence: ``a, b or c``."""
    if len(words) < 2:
        return "".join(words)
    comma = "、" if language == "zh" else ", "
    return say(key, language, one=comma.join(words[:-1]), two=words[-1])
