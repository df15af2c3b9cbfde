"""Shapes of credit notes."""

from __future__ import annotations

from pydantic import Field

from returns_api.api.schemas.base import (
    CreditNoteId,
    Moment,
    OrderId,
    Out,
    RefundId,
    example,
    example_id,
)

DOCUMENT = '<!doctype html>\n<html lang="en"><head><title>Credit note 17</title></head></html>\n'
"""How a document begins, for the description."""


class NoteLineOut(Out):
    """A line of a note; deductions are negative."""

    kind: str
    title: str | None
    quantity: int
    amount: int = Field(description="Minor units, over the whole quantity.")
    tax_contained: int = Field(description="As in the order's certificate, before deductions.")


class CreditNoteOut(Out):
    """What a shop's books say of money that went back. The lines sum to the amount."""

    model_config = example(
        {
            "credit_note": example_id("cn"),
            "number": 17,
            "kind": "credit_note",
            "refund": example_id("ref"),
            "order": example_id("ord"),
            "amount": 2000,
            "currency": "EUR",
            "issued_at": "2026-11-21T10:00:02Z",
            "lines": [
                {
                    "kind": "goods",
                    "title": "Linen shirt",
                    "quantity": 1,
                    "amount": 2000,
                    "tax_contained": 319,
                }
            ],
            "document": f"/v1/credit-notes/{example_id('cn')}/document",
        }
    )

    credit_note: CreditNoteId
    number: int = Field(description="Without gaps in the shop; cancellations count along.")
    kind: str = Field(
        description="`cancellation` takes back a note whose money came back from the provider."
    )
    refund: RefundId
    order: OrderId
    amount: int = Field(description="Minor units; above zero in both kinds.")
    currency: str
    issued_at: Moment
    lines: list[NoteLineOut]
    document: str


class CreditNotesOut(Out):
    items: list[CreditNoteOut]
    next_cursor: str | None
