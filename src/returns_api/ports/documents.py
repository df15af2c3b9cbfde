"""What we need to print: a document as PDF."""

from __future__ import annotations

from typing import Protocol

from returns_api.domain.documents import Document


class Printer(Protocol):
    """Sets documents. Pure work for the processor: the same document gives the same bytes."""

    def pdf(self, document: Document) -> bytes:
        """One PDF file, as many pages as it takes, for text of any script."""
        ...
