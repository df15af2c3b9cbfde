"""Documents as PDF. How one is set is ``typesetting``; what stands on it, ``domain.documents``."""

from __future__ import annotations

from returns_api.domain.documents import Document


class PdfPrinter:
    """Pages of A4."""

    def pdf(self, document: Document) -> bytes:
        # Most processes never print: the library is loaded with the first document.
        from returns_api.adapters.typesetting import typeset  # noqa: PLC0415 - loads ReportLab

        return typeset(document)
