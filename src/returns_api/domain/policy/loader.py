"""From text to a policy that can be stored, compared and compiled.

Owns ``load_policy`` (a merchant's text), ``restore_policy`` (what a version stored) and the
canonical form. The canonical form pins everything a decision depends on: the document, the lines of
its rules and the law packs of the day, so that a stored decision can be recomputed for ever. Only
this module, ``tree`` and ``law`` know that YAML exists. Refuses to own meaning and judgement.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from pydantic import ValidationError

from returns_api.domain.errors import PolicyInvalid
from returns_api.domain.policy.conditions import Range
from returns_api.domain.policy.decision_json import canonical_json
from returns_api.domain.policy.document import PolicyDocument
from returns_api.domain.policy.findings import Finding, Path, invalid
from returns_api.domain.policy.law import Law, default_law, from_pinned
from returns_api.domain.policy.reading import fault, read_model
from returns_api.domain.policy.signals import BLOCK_LIST
from returns_api.domain.policy.tree import Mark, Tree, read_tree
from returns_api.domain.policy.values import Amount

ENGINE: Final = "returns-policy-engine/1"
"""Changes when the same document and facts could give another decision."""


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A document that can be read, with its law, its canonical bytes and their digest.

    ``marks`` are the places of values in the text; empty for a restored policy. ``lines`` gives the
    line of each rule in the text it was first loaded from.
    """

    document: PolicyDocument
    law: Law
    lines: Mapping[str, int]
    canonical: bytes
    digest: str
    tree: Tree


def load_policy(source: bytes | str, law: Law | None = None) -> LoadedPolicy:
    """Read a policy document in YAML or JSON, to be judged under ``law`` (the packaged one).

    Raises ``PolicyInvalid`` with a finding for every fault: line, path, message, suggestion.
    """
    tree = read_tree(source)
    document = read_model(PolicyDocument, tree)
    faults = list(_faults(document, tree))
    if faults:
        raise invalid(faults)
    lines = {rule.id: tree.mark(("rules", n)).line for n, rule in enumerate(document.rules)}
    return _loaded(document, law or default_law(), lines, tree)


def restore_policy(canonical: bytes) -> LoadedPolicy:
    """The policy whose ``canonical`` bytes were stored. Raises ``PolicyInvalid``."""
    try:
        data = json.loads(canonical)
        if data["engine"] != ENGINE:
            raise ValueError(data["engine"])
        document = PolicyDocument.model_validate(data["document"])
        return _loaded(document, from_pinned(data["law"]), data["lines"], Tree(None, {}))
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        message = "These are not the canonical bytes of a policy version of this engine."
        raise PolicyInvalid(message, findings=[]) from error


def _loaded(
    document: PolicyDocument, law: Law, lines: Mapping[str, int], tree: Tree
) -> LoadedPolicy:
    canonical = canonical_json(
        {
            "engine": ENGINE,
            "document": document.model_dump(mode="json", exclude_none=True),
            "law": law.pinned(),
            "lines": dict(lines),
        }
    )
    digest = f"sha256:{sha256(canonical).hexdigest()}"
    return LoadedPolicy(document, law, lines, canonical, digest, tree)


def _faults(document: PolicyDocument, tree: Tree) -> Iterator[Finding]:
    """What only the whole document shows: names used twice, amounts that are not money."""
    yield from _doubles(tree, ("rules",), "id", [rule.id for rule in document.rules])
    yield from _doubles(tree, ("tiers",), "tier", [tier.tier for tier in document.tiers])
    signals = document.review.when if document.review else ()
    names = [rule.signal for rule in signals]
    yield from _doubles(tree, ("review", "when"), "signal", names)
    if BLOCK_LIST in names:
        taken: Path = ("review", "when", names.index(BLOCK_LIST), "signal")
        message = f"“{BLOCK_LIST}” is the signal of the shop's own block list."
        yield fault(tree, taken, "document.duplicate_id", message, "Give it a name of its own.")
    if len(set(document.currency)) != len(document.currency):
        yield fault(tree, ("currency",), "document.duplicate", "A currency stands here twice.")
    for path, amount in _amounts(document):
        problem = amount.problem(document.home_currency)
        if problem:
            yield fault(tree, path, "document.amount", problem, "Round it to the currency.")


def _doubles(tree: Tree, part: Path, key: str, names: list[str]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for position, name in enumerate(names):
        if name in first:
            line = tree.mark((*part, first[name])).line
            what = "signals" if key == "signal" else part[0]
            yield fault(
                tree, (*part, position, key), "document.duplicate_id",
                f"“{name}” is the name of two {what}.", f"The first is on line {line}; rename one.",
            )  # fmt: skip
        first.setdefault(name, position)


def _amounts(document: PolicyDocument) -> Iterator[tuple[Path, Amount]]:
    """Every amount of signals and rules with its path."""
    for number, signal in enumerate(document.review.when if document.review else ()):
        for amount in _bounds(signal.returned_value_30_days):
            yield ("review", "when", number, "returned_value_30_days"), amount
    for number, rule in enumerate(document.rules):
        for name in ("unit_price", "order_value"):
            for amount in _bounds(getattr(rule.when, name)):
                yield ("rules", number, "when", name), amount
        for term, value in rule.terms().items():
            for amount in amounts_of(value):
                yield ("rules", number, term), amount


def _bounds(found: Range | None) -> Iterator[Amount]:
    for bound in (found.low, found.high) if found else ():
        if isinstance(bound, Amount):
            yield bound


def amounts_of(value: Any) -> Iterator[Amount]:
    """Every amount inside the value of a term."""
    for name in ("fee", "per_buyer", "per_day", "cover", "excess"):
        amount = getattr(value, name, None)
        if isinstance(amount, Amount):
            yield amount
    for _, amount in getattr(value, "by_method", ()):
        yield amount


def mark_of(loaded: LoadedPolicy, path: Path) -> Mark:
    """The place of ``path`` in the text."""
    return loaded.tree.mark(path)
