"""Real picture files, and files that only look like some: what a buyer might send."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image, PngImagePlugin

GPS = "52.5163 N 13.3777 E"
ORIENTATION, MAKER, GPS_BLOCK = 0x0112, 0x010F, 0x8825


def picture(
    number: int = 0, size: tuple[int, int] = (64, 48), kind: str = "JPEG", **more: Any
) -> bytes:
    """A picture that differs for each number."""
    made = Image.new("RGB", size, (number * 37 % 256, number * 91 % 256, 120))
    made.paste((255, 255, 255), (0, 0, 1 + number % 8, 1 + number // 8 % 8))
    target = io.BytesIO()
    made.save(target, kind, **more)
    return target.getvalue()


def with_exif(turn: int = 6) -> bytes:
    """A JPEG that says where and with what it was taken, and which way is up."""
    exif = Image.Exif()
    exif[ORIENTATION] = turn
    exif[MAKER] = "Canary Phones"
    exif.get_ifd(GPS_BLOCK).update({1: "N", 2: (52.0, 30.0, 58.7), 3: "E", 4: (13.0, 22.0, 39.7)})
    return picture(3, (80, 40), exif=exif, comment=GPS.encode())


def png_with_text() -> bytes:
    """A PNG whose text chunks hold what no pixel does."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", GPS)
    info.add_itxt("XML:com.adobe.xmp", f"<x:xmpmeta>{GPS}</x:xmpmeta>")
    return picture(4, kind="PNG", pnginfo=info)


def bomb(side: int = 13_000) -> bytes:
    """A small PNG of many pixels: about 21 kB for 13 000²."""
    row = b"\x00" * (side // 8 + 2)
    body = zlib.compressobj(9)
    packed = b"".join(body.compress(row) for _ in range(side)) + body.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", packed)
        + _chunk(b"IEND", b"")
    )


def text_bomb(megabytes: int = 80) -> bytes:
    """A PNG with a compressed text chunk that unpacks to many megabytes."""
    packed = zlib.compress(b"A" * (megabytes * 1_000_000), 9)
    plain = picture(5, kind="PNG")
    chunk = _chunk(b"zTXt", b"Comment\x00\x00" + packed)
    return plain[:33] + chunk + plain[33:]


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
