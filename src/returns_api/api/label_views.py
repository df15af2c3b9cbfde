"""From the record of a return parcel to its shape; a label that nobody needs is not shown."""

from __future__ import annotations

from returns_api.api.schemas.labels import LabelDocumentOut, LabelOut
from returns_api.domain.shipments import ShipmentRecord


def label_out(place: str, shipment: ShipmentRecord | None) -> LabelOut | None:
    """The label of a return that is read at ``place``."""
    if shipment is None:
        return None
    useless = shipment.state.startswith("void")
    href = f"{place}/label-document"
    return LabelOut(
        shipment=shipment.id,
        state=shipment.state,
        carrier=shipment.carrier,
        service=shipment.service,
        tracking=shipment.tracking_code,
        url=None if useless else shipment.label_url,
        qr_url=None if useless else shipment.qr_url,
        documents=[
            LabelDocumentOut(form=form, href=f"{href}?form={form}")
            for form in shipment.label_forms
            if not useless
        ],
    )
