"""Who pays for the way back, and insured return freight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from returns_api.domain.policy.conditions import only_keys
from returns_api.domain.policy.values import (
    Amount,
    BadValue,
    read_amount,
)
from returns_api.domain.policy.vocabulary import (
    MethodKind,
)


@dataclass(frozen=True, slots=True)
class ReturnShipping:
    """What the buyer pays for the way back: ``free``, ``own_cost``, one fee, or one by method.

    ``own_cost``: the buyer sends the parcel and pays the carrier; we charge nothing.
    """

    free: bool = False
    own_cost: bool = False
    fee: Amount | None = None
    by_method: tuple[tuple[MethodKind, Amount], ...] = ()

    def written(self) -> object:
        """As an author writes it."""
        if self.fee is not None:
            return self.fee.written()
        if self.by_method:
            return {method.value: amount.written() for method, amount in self.by_method}
        return "free" if self.free else "own_cost"


def read_return_shipping(raw: Any) -> ReturnShipping:
    """``free``, ``own_cost``, ``4.90``, ``{EUR: 4.90, …}`` or ``{post: 4.90, dropoff: 2.90}``."""
    if isinstance(raw, ReturnShipping):
        return raw
    if raw == "free":
        return ReturnShipping(free=True)
    if raw == "own_cost":
        return ReturnShipping(own_cost=True)
    methods = tuple(kind.value for kind in MethodKind)
    if isinstance(raw, Mapping) and not all(str(key).isupper() for key in raw):
        only_keys(raw, methods)
        fees = {MethodKind(name): read_amount(value) for name, value in raw.items()}
        return ReturnShipping(by_method=tuple((m, fees[m]) for m in MethodKind if m in fees))
    if isinstance(raw, str) and raw[:1].isalpha():
        raise BadValue(f"“{raw[:60]}” is not known here.", "Write free, own_cost or 4.90.")
    return ReturnShipping(fee=read_amount(raw))


@dataclass(frozen=True, slots=True)
class InsuranceTerm:
    """Insurance of freight that the buyer pays: paid back up to ``cover``, less ``excess``."""

    cover: Amount
    excess: Amount | None = None

    def written(self) -> object:
        """As an author writes it."""
        parts: dict[str, object] = {"cover": self.cover.written()}
        if self.excess:
            parts["excess"] = self.excess.written()
        return parts


def read_insurance(raw: Any) -> InsuranceTerm:
    """``{cover: 12.00, excess: 2.00}``."""
    if isinstance(raw, InsuranceTerm):
        return raw
    if not isinstance(raw, Mapping):
        raise BadValue("The cover is due here.", "Write {cover: 12.00}.")
    only_keys(raw, ("cover", "excess"))
    if "cover" not in raw:
        raise BadValue("The insurance does not say how much it covers.", "Add cover: 12.00.")
    excess = read_amount(raw["excess"]) if "excess" in raw else None
    return InsuranceTerm(read_amount(raw["cover"]), excess)
