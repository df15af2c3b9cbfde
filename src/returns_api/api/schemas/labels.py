"""Shapes of a return's label."""

from __future__ import annotations

from pydantic import Field

from returns_api.api.schemas.base import Out, ShipmentId


class LabelDocumentOut(Out):
    """A file of the label that is kept here; read it with the same credential."""

    form: str = Field(description="`label` to print, or `qr` to show where parcels are taken.")
    href: str


class LabelOut(Out):
    """The label of the way back, bought from a carrier."""

    shipment: ShipmentId
    state: str
    carrier: str | None
    service: str | None
    tracking: str | None
    url: str | None = Field(description="Where the carrier keeps the label, if it does.")
    qr_url: str | None = Field(
        description="Where the carrier shows a code for drop-off without a printer, if it does."
    )
    documents: list[LabelDocumentOut]
