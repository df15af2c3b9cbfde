"""Documents as PDF: the same bytes for the same document, whatever is written on it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from returns_api.adapters.documents import PdfPrinter
from returns_api.adapters.typesetting import LATIN, OTHERS, face, printable
from returns_api.domain.documents import Document

DOCUMENT = Document(
    language="en",
    title="Credit note",
    sender=("Field & Loom", "Lagerstr. 1", "10115 Berlin", "DE"),
    recipient=("Anna <b>Weber",),
    facts=(("Number", "17"), ("Date", "2026-11-21")),
    columns=("Item", "Quantity", "Amount"),
    rows=(("Linen shirt", "2", "40.00 EUR"),),
    total=("Total", "40.00 EUR"),
    notes=("Tax contained: 6.38 EUR",),
)


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def test_the_same_document_is_the_same_file() -> None:
    pdf = PdfPrinter().pdf(DOCUMENT)
    assert pdf.startswith(b"%PDF-")
    assert pdf.rstrip().endswith(b"%%EOF")
    assert pages(pdf) == 1
    assert PdfPrinter().pdf(DOCUMENT) == pdf
    assert PdfPrinter().pdf(replace(DOCUMENT, total=("Total", "40.01 EUR"))) != pdf


def test_a_code_is_drawn_for_laser_and_camera() -> None:
    slip = PdfPrinter().pdf(replace(DOCUMENT, code="R-000017"))
    assert pages(slip) == 1
    assert slip == PdfPrinter().pdf(replace(DOCUMENT, code="R-000017"))
    assert len(slip) > len(PdfPrinter().pdf(DOCUMENT)) + 500


def test_a_long_one_takes_more_pages() -> None:
    assert pages(PdfPrinter().pdf(replace(DOCUMENT, rows=DOCUMENT.rows * 300))) > 5


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Größe, œuvre, Łódz", LATIN),
        ("シャツ 2枚", "HeiseiMin-W3"),
        ("셔츠", "HYSMyeongJo-Medium"),
        ("亚麻衬衫", OTHERS),
        ("Рубашка", OTHERS),
    ],
)
def test_text_of_any_script_is_set_in_a_face_that_has_it(text: str, named: str) -> None:
    assert face(text) == named
    pdf = PdfPrinter().pdf(replace(DOCUMENT, rows=((text, "1", "1 EUR"),)))
    assert named == LATIN or named.encode() in pdf


def test_an_accent_that_no_face_has_is_left_out() -> None:
    assert printable("Łódź, Ștefan, Čapek") == "Łódz, Stefan, Čapek"


@pytest.mark.parametrize(
    "text",
    ["", "<para>", "&amp;", "a\x00b\x1b[31m", "👩\u200d👧", "\ud800", "\u202eabc", "x" * 4000],
)
def test_no_text_breaks_it(text: str) -> None:
    odd = replace(DOCUMENT, title=text, sender=(text,), recipient=(), rows=((text, text, text),))
    assert pages(PdfPrinter().pdf(odd)) >= 1
