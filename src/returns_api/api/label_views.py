"""From the record of a return parcel to its shape; a label that nobody needs is not shown."""

from __future__ import annotations

from uuid import UUID

from returns_api.api.schemas.labels import LabelDocumentOut, LabelOut
from returns_api.domain import ids
from returns_api.domain.shipments import ShipmentRecord


def label_out(return_id: UUID, shipment: ShipmentRecord | None) -> LabelOut | None:
    if shipment is None:
        return None
    useless = shipment.state.startswith("void")
    href = f"/v1/returns/{ids.encode('ret', return_id)}/label-document"
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
