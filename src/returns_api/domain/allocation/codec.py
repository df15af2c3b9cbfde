"""The certificate's stored form: small JSON, canonical digest.

Owns the field names, the form's version and strict reading. Refuses to own any rule: what is read
must add up by itself (``Certificate`` checks), and nothing is repaired.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final, TypeVar

import orjson

from returns_api.domain.allocation.certificate import (
    Basis,
    Certificate,
    CertifiedLine,
    CertifiedTax,
    Flag,
    FlagCode,
    UnitParts,
    UnitRun,
)
from returns_api.domain.orders import LineKind

FORM: Final = 1
"""Version of this JSON form; a reader refuses any other."""

_T = TypeVar("_T")


def to_json(certificate: Certificate) -> dict[str, object]:
    """The stored form, JSON-ready; ``from_json`` reads it back equal. Amounts in minor units."""
    return {
        "form": FORM,
        "order": certificate.order_external_id,
        "currency": certificate.currency,
        "taxes_included": certificate.taxes_included,
        "basis": certificate.basis.value,
        "total": certificate.total_minor,
        "captured": certificate.captured_minor,
        "released": certificate.released_minor,
        "residue": certificate.residue_minor,
        "unallocated": certificate.unallocated_minor,
        "lines": [_line_out(line) for line in certificate.lines],
        "flags": [[flag.code.value, flag.amount_minor, flag.line] for flag in certificate.flags],
    }


def from_json(data: Mapping[str, object]) -> Certificate:
    """Raises ``ValueError`` when ``data`` is not a certificate of this form or does not add up."""
    if data.get("form") != FORM:
        raise ValueError("not a certificate of a known form")
    try:
        return _certificate_in(data)
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"not a certificate: {error!r}") from error


def paid_for(data: Mapping[str, object], kind: LineKind) -> int:
    """What the lines of a kind cost, in minor units, without reading the others.

    Raises ``ValueError`` as ``from_json`` does.
    """
    try:
        lines = [line for line in _list(data["lines"]) if _mapping(line)["kind"] == kind.value]
        return sum(_line_in(line).paid_minor for line in lines)
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"not a certificate: {error!r}") from error


def digest(certificate: Certificate) -> str:
    """``digest_of`` its stored form."""
    return digest_of(to_json(certificate))


def digest_of(stored: Mapping[str, object]) -> str:
    """``sha256:…`` over the canonical JSON: sorted keys, no blanks, so jsonb cannot change it."""
    return "sha256:" + hashlib.sha256(_canonical(stored)).hexdigest()


def _canonical(stored: Mapping[str, object]) -> bytes:
    """What ``json`` writes, by the faster writer where that gives the same bytes.

    ``json`` escapes everything that is not printable ASCII, and knows numbers beyond 64 bits.
    """
    with suppress(TypeError):
        text = orjson.dumps(stored, option=orjson.OPT_SORT_KEYS)
        if text.isascii() and b"\x7f" not in text:
            return text
    return json.dumps(stored, sort_keys=True, separators=(",", ":")).encode()


def _line_out(line: CertifiedLine) -> dict[str, object]:
    return {
        "line": line.external_id,
        "kind": line.kind.value,
        "quantity": line.quantity,
        "removed": line.removed,
        "removed_minor": line.removed_minor,
        "taxes": [[tax.title, tax.rate, tax.amount_minor] for tax in line.taxes],
        # count, price, line discount, order discount, included tax, added tax, adjustment, taxes
        "runs": [
            [
                run.count,
                run.parts.price,
                run.parts.line_discount,
                run.parts.order_discount,
                run.parts.tax_included,
                run.parts.tax_added,
                run.parts.adjustment,
                list(run.parts.taxes),
            ]
            for run in line.runs
        ],
    }


def _certificate_in(data: Mapping[str, object]) -> Certificate:
    return Certificate(
        order_external_id=_text(data["order"]),
        currency=_text(data["currency"]),
        taxes_included=data["taxes_included"] is True,
        basis=Basis(_text(data["basis"])),
        total_minor=_whole(data["total"]),
        captured_minor=_whole(data["captured"]),
        released_minor=_whole(data["released"]),
        residue_minor=_whole(data["residue"]),
        unallocated_minor=_whole(data["unallocated"]),
        lines=_each(data["lines"], _line_in),
        flags=_each(data["flags"], _flag_in),
    )


def _line_in(value: object) -> CertifiedLine:
    data = _mapping(value)
    return CertifiedLine(
        external_id=_text(data["line"]),
        kind=LineKind(_text(data["kind"])),
        quantity=_whole(data["quantity"]),
        removed=_whole(data["removed"]),
        removed_minor=_whole(data["removed_minor"]),
        taxes=_each(data["taxes"], _tax_in),
        runs=_each(data["runs"], _run_in),
    )


def _run_in(value: object) -> UnitRun:
    *amounts, taxes = _list(value)
    count, price, line_discount, order_discount, included, added, adjustment = map(_whole, amounts)
    parts = UnitParts(
        price=price,
        line_discount=line_discount,
        order_discount=order_discount,
        tax_included=included,
        tax_added=added,
        adjustment=adjustment,
        taxes=_each(taxes, _whole),
    )
    return UnitRun(count, parts)


def _tax_in(value: object) -> CertifiedTax:
    title, rate, amount = _list(value)
    return CertifiedTax(_text(title), None if rate is None else _text(rate), _whole(amount))


def _flag_in(value: object) -> Flag:
    code, amount, line = _list(value)
    return Flag(FlagCode(_text(code)), _whole(amount), None if line is None else _text(line))


def _each(value: object, read: Callable[[object], _T]) -> tuple[_T, ...]:
    return tuple(read(item) for item in _list(value))


def _list(value: object) -> Iterable[object]:
    if not isinstance(value, list):
        raise TypeError("a list is wanted")
    return value


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError("an object is wanted")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is wanted")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a whole number is wanted")
    return value
