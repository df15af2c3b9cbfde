"""Draws labels: a PDF and a PNG with bars, and a QR code. Small, valid, and plainly a sample."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from .qr import matrix

_PIXELS_PER_MODULE = 6
_BAR_HEIGHT = 120


def pdf(code: str) -> bytes:
    """A one-page 4x6 inch PDF with the tracking code as text."""
    lines = ("SAMPLE RETURN LABEL", "NOT VALID FOR POSTAGE", code)
    shown = " ".join(f"({line}) Tj 0 -24 Td" for line in lines)
    content = f"BT /F1 14 Tf 20 380 Td {shown} ET".encode("ascii")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 288 432] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return body + head + table + tail % (len(objects) + 1, len(body))


def png(code: str) -> bytes:
    """Bars made of the code's bits: something to look at, not a real barcode."""
    bits = "".join(f"{byte:08b}" for byte in code.encode("ascii"))
    return _png([[bit == "1" for bit in bits]] * _BAR_HEIGHT, 3, stretch_rows=False)


def qr_png(code: str) -> bytes:
    """The code as a QR code that scanners read."""
    return _png(matrix(code.encode("ascii")), _PIXELS_PER_MODULE, stretch_rows=True)


KINDS: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "pdf": ("application/pdf", pdf),
    "png": ("image/png", png),
    "qr.png": ("image/png", qr_png),
}


def _png(modules: list[list[bool]], scale: int, *, stretch_rows: bool) -> bytes:
    """Black on white with a quiet zone, 8-bit grey."""
    width = (len(modules[0]) + 8) * scale
    blank = b"\0" + b"\xff" * width
    margin = b"\xff" * (4 * scale)
    rows = []
    for row in modules:
        pixels = b"".join((b"\0" if dark else b"\xff") * scale for dark in row)
        rows += [b"\0" + margin + pixels + margin] * (scale if stretch_rows else 1)
    rows = [blank] * (4 * scale) + rows + [blank] * (4 * scale)
    header = struct.pack(">IIBBBBB", width, len(rows), 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
