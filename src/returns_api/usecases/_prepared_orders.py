"""An order of a document, with everything that can be computed before the database is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from returns_api.domain.allocation import Certificate, certify, digest_of, to_json
from returns_api.domain.order_document_reading import order_facts, parcel_facts
from returns_api.domain.order_documents import OrderDocument
from returns_api.domain.orders import OrderFacts, ParcelSeen
from returns_api.usecases._order_rows import snapshot_of
from returns_api.usecases.context import Context


@dataclass(frozen=True, slots=True)
class Prepared:
    """An order as its document tells it, its certificate, and what tells two versions apart."""

    order: OrderFacts
    parcels: tuple[ParcelSeen, ...]
    snapshot: str
    certificate: Certificate
    stored: Mapping[str, Any]
    """The certificate's stored form."""
    digest: str


def prepare(ctx: Context, document: OrderDocument) -> Prepared:
    """Raises ``Invalid`` for an order that no arithmetic can repair."""
    order, parcels = order_facts(document), parcel_facts(document)
    certificate = certify(order)
    stored, snapshot = to_json(certificate), snapshot_of(ctx, order, parcels)
    return Prepared(order, parcels, snapshot, certificate, stored, digest_of(stored))
