"""What becomes of the goods: what a condition costs, the proofs, and who keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from returns_api.domain.policy.conditions import only_keys
from returns_api.domain.policy.values import (
    BadValue,
    one_of,
    read_ppm,
    write_ppm,
)
from returns_api.domain.policy.vocabulary import (
    EvidenceKind,
    Grade,
)

MAX_PROOFS: Final = 20


@dataclass(frozen=True, slots=True)
class Grades:
    """What each grade costs the buyer, as a share of the price; None = not taken back."""

    items: tuple[tuple[Grade, int | None], ...]

    def written(self) -> object:
        """As an author writes it."""
        return {
            grade.value: "refused" if share is None else write_ppm(share)
            for grade, share in self.items
        }


def read_grades(raw: Any) -> Grades:
    """``{used_worn: 30%, damaged_buyer: refused}``; ``full`` is 0 % off."""
    if isinstance(raw, Grades):
        return raw
    if not isinstance(raw, Mapping):
        raise BadValue("Deductions by grade are due here.", "Write {used_worn: 30%}.")
    only_keys(raw, tuple(grade.value for grade in Grade))
    found = {Grade(name): _read_share(value) for name, value in raw.items()}
    return Grades(tuple((grade, found[grade]) for grade in Grade if grade in found))


def _read_share(raw: object) -> int | None:
    if raw == "refused":
        return None
    return 0 if raw == "full" else read_ppm(raw)


@dataclass(frozen=True, slots=True)
class EvidenceTerm:
    """Proofs the buyer must give, with the least number of each; empty = none."""

    items: tuple[tuple[EvidenceKind, int], ...]

    def written(self) -> object:
        """As an author writes it."""
        return {kind.value: number for kind, number in self.items} or "none"


def read_evidence(raw: Any) -> EvidenceTerm:
    """``none`` or ``{photo: 2, serial_number: 1}``."""
    if isinstance(raw, EvidenceTerm):
        return raw
    if raw == "none":
        return EvidenceTerm(())
    if not isinstance(raw, Mapping):
        raise BadValue("Proofs are due here.", "Write {photo: 1} or none.")
    only_keys(raw, tuple(kind.value for kind in EvidenceKind))
    found: dict[EvidenceKind, int] = {}
    for name, number in raw.items():
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MAX_PROOFS:
            raise BadValue(f"“{str(number)[:20]}” is not a number of proofs.",
                           f"Write 1 to {MAX_PROOFS}.")  # fmt: skip
        found[EvidenceKind(name)] = number
    return EvidenceTerm(tuple((kind, found[kind]) for kind in EvidenceKind if kind in found))


@dataclass(frozen=True, slots=True)
class KeepItem:
    """When the buyer keeps the goods: never, always, or when the label costs over a share of them.

    ``label_over_ppm`` is that share of the price; None with ``always`` False means never.
    """

    always: bool = False
    label_over_ppm: int | None = None

    def written(self) -> object:
        """As an author writes it."""
        if self.label_over_ppm is not None:
            return {"label_over": write_ppm(self.label_over_ppm)}
        return "always" if self.always else "never"


def read_keep_item(raw: Any) -> KeepItem:
    """``never``, ``always`` or ``{label_over: 60%}``."""
    if isinstance(raw, KeepItem):
        return raw
    if isinstance(raw, Mapping):
        only_keys(raw, ("label_over",))
        return KeepItem(label_over_ppm=read_ppm(raw["label_over"]))
    return KeepItem(always=one_of(raw, ("never", "always"), "an answer") == "always")
