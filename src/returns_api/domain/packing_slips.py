"""What lies in the parcel: which return it is, what should be in it, where it goes.

Owns the words (in German, English and French; others read English). The number stands on it as a
code too, so that the warehouse scans it instead of reading it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from returns_api.domain.calendars import local_date
from returns_api.domain.documents import Document, address_lines
from returns_api.domain.returns import ReturnRecord
from returns_api.domain.shops import comes_back_to

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "Packing slip", "return": "Return", "order": "Order", "date": "Date",
        "tracking": "Tracking", "item": "Item", "sku": "Article", "quantity": "Quantity",
        "total": "Units in the parcel", "note": "Please put this page into the parcel.",
    },
    "de": {
        "title": "Begleitschein", "return": "Retoure", "order": "Bestellung", "date": "Datum",
        "tracking": "Sendung", "item": "Position", "sku": "Artikel", "quantity": "Menge",
        "total": "Stücke im Paket", "note": "Bitte legen Sie dieses Blatt in das Paket.",
    },
    "fr": {
        "title": "Bon de retour", "return": "Retour", "order": "Commande", "date": "Date",
        "tracking": "Suivi", "item": "Désignation", "sku": "Article", "quantity": "Quantité",
        "total": "Pièces dans le colis", "note": "Merci de joindre cette page au colis.",
    },
}  # fmt: skip


def packing_slip(
    ret: ReturnRecord,
    order_number: str,
    tracking: str | None,
    shop: Mapping[str, Any],
    sender: Mapping[str, Any] | None,
) -> Document:
    """The slip of a return whose goods may be sent, in the shop's language.

    ``shop`` is its row with the settings; ``sender`` is the buyer, or a gift's recipient, as far as
    known.
    """
    language = str(shop["locale"]).partition("-")[0]
    language = language if language in _WORDS else "en"
    words, lines = _WORDS[language], ret.open_lines()
    facts = [
        (words["return"], ret.number),
        (words["order"], order_number),
        (words["date"], local_date(ret.created_at, ZoneInfo(shop["timezone"])).isoformat()),
        *([] if tracking is None else [(words["tracking"], tracking)]),
    ]
    return Document(
        language=language,
        title=words["title"],
        sender=address_lines((sender or {}).get("name"), sender or {}),
        recipient=destination_lines(shop, ret.resolution, ret.terms.send_to),
        facts=tuple(facts),
        columns=(words["item"], words["sku"], words["quantity"]),
        rows=tuple((line.title, line.sku or "", str(line.quantity)) for line in lines),
        total=(words["total"], str(sum(line.quantity for line in lines))),
        notes=(words["note"],),
        code=ret.number,
    )


def destination_lines(shop: Mapping[str, Any], resolution: str, send_to: str) -> tuple[str, ...]:
    """Where the goods go, as it stands on an envelope."""
    _, address = comes_back_to(shop, resolution, send_to)
    return address_lines(address.get("name") or shop["name"], address)
