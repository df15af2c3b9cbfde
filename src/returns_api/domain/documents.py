"""How a credit note reads: one document as plain data, and that document as an HTML page.

Owns the words (in German, English and French; others read English), the order and the escaping.
Refuses to own the note (``credit_notes``) and the PDF (``ports.documents``), which is set from the
same data, so that the two never differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any, Final
from zoneinfo import ZoneInfo

from returns_api.domain.calendars import local_date
from returns_api.domain.money import format_minor

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "credit_note": "Credit note", "cancellation": "Cancellation of a credit note",
        "number": "Number", "date": "Date", "order": "Order", "refund": "Refund",
        "item": "Item", "quantity": "Quantity", "amount": "Amount", "total": "Total",
        "tax": "Tax contained, before deductions",
        "goods": "Goods", "shipping": "Shipping", "duty": "Duty", "tip": "Tip", "fee": "Fee",
        "grade_deduction": "Deduction for the condition", "restocking_fee": "Restocking fee",
        "return_freight": "Return freight", "manual": "Refund", "goodwill": "Goodwill",
        "cancellation_of_order": "Canceled before dispatch",
        "part_payment": "Part of the refund", "reversal": "The money came back to us",
    },
    "de": {
        "credit_note": "Gutschrift (Rechnungskorrektur)", "cancellation": "Storno einer Gutschrift",
        "number": "Nummer", "date": "Datum", "order": "Bestellung", "refund": "Erstattung",
        "item": "Position", "quantity": "Menge", "amount": "Betrag", "total": "Summe",
        "tax": "Enthaltene Steuer, vor Abzügen",
        "goods": "Ware", "shipping": "Versand", "duty": "Zoll", "tip": "Trinkgeld",
        "fee": "Gebühr", "grade_deduction": "Abzug für den Zustand",
        "restocking_fee": "Wiedereinlagerung", "return_freight": "Rückversand",
        "manual": "Erstattung", "goodwill": "Kulanz",
        "cancellation_of_order": "Vor dem Versand storniert",
        "part_payment": "Teil der Erstattung", "reversal": "Das Geld kam zu uns zurück",
    },
    "fr": {
        "credit_note": "Avoir", "cancellation": "Annulation d'un avoir",
        "number": "Numéro", "date": "Date", "order": "Commande", "refund": "Remboursement",
        "item": "Article", "quantity": "Quantité", "amount": "Montant", "total": "Total",
        "tax": "Taxe comprise, avant déductions",
        "goods": "Article", "shipping": "Livraison", "duty": "Droits", "tip": "Pourboire",
        "fee": "Frais", "grade_deduction": "Déduction pour l'état",
        "restocking_fee": "Frais de remise en stock", "return_freight": "Frais de retour",
        "manual": "Remboursement", "goodwill": "Geste commercial",
        "cancellation_of_order": "Annulé avant l'expédition",
        "part_payment": "Partie du remboursement", "reversal": "L'argent nous est revenu",
    },
}  # fmt: skip

_STYLE: Final = """
body{font:14px/1.5 sans-serif;max-width:46em;margin:3em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;width:100%;margin:2em 0}
th,td{text-align:left;padding:.4em .6em;border-bottom:1px solid #ddd}
.number{text-align:right;white-space:nowrap}
tfoot td{font-weight:bold;border-bottom:0}
address{font-style:normal;white-space:pre-line}
.parties{display:flex;justify-content:space-between;gap:2em}
@media print{body{margin:0;max-width:none}}
"""


@dataclass(frozen=True, slots=True)
class Document:
    """A page of business: everything on it as text, in reading order."""

    language: str
    title: str
    sender: tuple[str, ...]
    recipient: tuple[str, ...]
    """Empty when the person was erased, or was never known."""
    facts: tuple[tuple[str, str], ...]
    columns: tuple[str, str, str]
    rows: tuple[tuple[str, str, str], ...]
    total: tuple[str, str]
    notes: tuple[str, ...]
    code: str | None = None
    """Printed as a bar code and as a QR code too; ASCII."""


def credit_note_document(
    note: Mapping[str, Any], zone: str, locale: str, recipient: Mapping[str, Any] | None
) -> Document:
    """The document of a stored note; ``zone`` and ``locale`` are the shop's."""
    language = locale.partition("-")[0]
    language = language if language in _WORDS else "en"
    words, currency, body = _WORDS[language], note["currency"], note["body"]
    tax = sum(line["tax_contained"] for line in body["lines"])
    issued: datetime = note["issued_at"]
    return Document(
        language=language,
        title=words[note["kind"]],
        sender=address_lines(body["seller"]["name"], body["seller"]["address"]),
        recipient=address_lines((recipient or {}).get("name"), recipient or {}),
        facts=(
            (words["number"], str(note["number"])),
            (words["date"], local_date(issued, ZoneInfo(zone)).isoformat()),
            (words["order"], body["order"]),
            (words["refund"], body["refund"]),
        ),
        columns=(words["item"], words["quantity"], words["amount"]),
        rows=tuple(_row(line, words, currency) for line in body["lines"]),
        total=(words["total"], _money(note["amount_minor"], currency)),
        notes=(f"{words['tax']}: {_money(tax, currency)}",) if tax else (),
    )


def _row(line: Mapping[str, Any], words: Mapping[str, str], currency: str) -> tuple[str, str, str]:
    kind = "cancellation_of_order" if line["kind"] == "cancellation" else line["kind"]
    word = words.get(kind, line["kind"])
    title = line["title"]
    name = word if title is None else title if kind == "goods" else f"{word}: {title}"
    return name, str(line["quantity"]), _money(line["amount"], currency)


def _money(minor: int, currency: str) -> str:
    return f"{format_minor(minor, currency)} {currency}"


def address_lines(name: str | None, parts: Mapping[str, Any]) -> tuple[str, ...]:
    """A name and an address as they stand on an envelope."""
    place = " ".join(filter(None, (parts.get("postcode"), parts.get("city"), parts.get("region"))))
    lines: Sequence[str | None] = (
        name,
        parts.get("street1"),
        parts.get("street2"),
        place,
        parts.get("country"),
    )
    return tuple(line for line in lines if line)


def html(document: Document) -> str:
    """The document as one page without script or outside parts; every text is escaped."""
    facts = "".join(_cells("tr", ("th", fact), ("td", text)) for fact, text in document.facts)
    head = _cells("tr", *(("th", column) for column in document.columns))
    rows = "".join(
        f"<tr><td>{escape(name)}</td>{_number(quantity)}{_number(amount)}</tr>"
        for name, quantity, amount in document.rows
    )
    total = f'<tr><td colspan="2">{escape(document.total[0])}</td>{_number(document.total[1])}</tr>'
    notes = "".join(f"<p>{escape(note)}</p>" for note in document.notes)
    parties = "".join(
        f"<address>{escape(chr(10).join(lines))}</address>"
        for lines in (document.sender, document.recipient)
    )
    title = escape(document.title)
    return (
        f'<!doctype html>\n<html lang="{document.language}"><head><meta charset="utf-8">'
        f"<title>{title} {escape(document.facts[0][1])}</title><style>{_STYLE}</style></head>"
        f'<body><div class="parties">{parties}</div><h1>{title}</h1><table>{facts}</table>'
        f"<table><thead>{head}</thead><tbody>{rows}</tbody><tfoot>{total}</tfoot></table>"
        f"{notes}</body></html>\n"
    )


def _cells(around: str, *cells: tuple[str, str]) -> str:
    inside = "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in cells)
    return f"<{around}>{inside}</{around}>"


def _number(text: str) -> str:
    return f'<td class="number">{escape(text)}</td>'
