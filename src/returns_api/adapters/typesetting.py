"""Documents set as pages by ReportLab: page, type and tables.

Refuses to own what stands on a document (``domain.documents``). Text outside of what the built-in
Latin face has is set in one of the Asian faces that every PDF reader brings along.
"""

from __future__ import annotations

import io
import unicodedata
from functools import lru_cache
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.qr import QrCode
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer

from returns_api.domain.documents import Document

LATIN: Final = "Vera"
_KANA: Final = ("\u3040", "\u30ff")
_HANGUL: Final = ("\uac00", "\ud7a3")
_FACES: Final = {_KANA: "HeiseiMin-W3", _HANGUL: "HYSMyeongJo-Medium"}
OTHERS: Final = "STSong-Light"
"""Chinese, and with it Greek, Cyrillic and signs."""
TEXT_MAX: Final = 400
"""Letters of one cell: a row has to fit on a page."""
MARGIN: Final = 56
"""Points: 2 cm."""


def typeset(document: Document) -> bytes:
    """Its pages as PDF, A4."""
    target = io.BytesIO()
    page = SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=printable(f"{document.title} {document.facts[0][1]}"),
        author=printable(document.sender[0] if document.sender else ""),
        lang=document.language,
        invariant=1,
    )
    page.build(_story(document))
    return target.getvalue()


def _story(document: Document) -> list[Any]:
    width = 483.0
    rows = [[_text(cell) for cell in row] for row in document.rows]
    head = [_text(column, size=9) for column in document.columns]
    name, amount = document.total
    total = [_text(name), _text(""), _text(amount)]
    facts = [[_text(fact), _text(text)] for fact, text in document.facts]
    parties = [[_lines(document.sender), _lines(document.recipient)]]
    return [
        _table(parties, [width * 0.55, width * 0.45]),
        Spacer(1, 36),
        _text(document.title, size=18),
        Spacer(1, 18),
        _table(facts, [width * 0.35, width * 0.65]),
        Spacer(1, 24),
        *([] if document.code is None else [*_codes(document.code, width), Spacer(1, 24)]),
        _table([head, *rows, total], [width * 0.6, width * 0.15, width * 0.25], ruled=True),
        Spacer(1, 18),
        *(_text(note, size=9) for note in document.notes),
    ]


def _table(rows: list[list[Any]], widths: list[float], *, ruled: bool = False) -> Any:
    styles: list[tuple[Any, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
    ]
    if ruled:
        styles += [
            ("LINEBELOW", (0, 0), (-1, -2), 0.4, colors.lightgrey),
            ("LINEABOVE", (0, -1), (-1, -1), 1, colors.black),
        ]
    return LongTable(rows, colWidths=widths, repeatRows=int(ruled), style=styles)


def _codes(code: str, width: float) -> list[Any]:
    """The same text for a laser and for a camera."""
    bars = Code128(code, barHeight=42, barWidth=1.1, humanReadable=True)
    return [_table([[bars, QrCode(code)]], [width * 0.7, width * 0.3])]


def _text(text: str, size: int = 10) -> Any:
    shown = printable(text)
    style = ParagraphStyle("text", fontName=face(shown), fontSize=size, leading=size * 1.35)
    return Paragraph(escape(shown), style)


def _lines(lines: tuple[str, ...]) -> list[Any]:
    return [_text(line) for line in lines]


def printable(text: str) -> str:
    """At most ``TEXT_MAX`` letters, without what has no glyph anywhere: control characters and
    characters beyond the BMP. A letter of which the Latin face has all but the accent loses it."""
    cut = text if len(text) <= TEXT_MAX else f"{text[: TEXT_MAX - 1]}…"
    return "".join(_letter(letter) for letter in cut)


def _letter(letter: str) -> str:
    if not letter.isprintable() or letter > "\uffff":
        return "\ufffd"
    plain = unicodedata.normalize("NFD", letter)[0]
    return letter if ord(letter) in _latin() or ord(plain) not in _latin() else plain


def face(text: str) -> str:
    """The face that has every letter of ``text``, as far as one has."""
    if all(ord(letter) in _latin() for letter in text):
        return LATIN
    for (first, last), face in _FACES.items():
        if any(first <= letter <= last for letter in text):
            return face
    return OTHERS


@lru_cache(maxsize=1)
def _latin() -> frozenset[int]:
    """Registers the faces; the letters of the Latin one."""
    latin = TTFont(LATIN, "Vera.ttf")
    pdfmetrics.registerFont(latin)
    for face in (*_FACES.values(), OTHERS):
        pdfmetrics.registerFont(UnicodeCIDFont(face))
    return frozenset(latin.face.charToGlyph)
