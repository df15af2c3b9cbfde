"""The process that opens strangers' pictures: bytes in, clean JPEG out. Never imported here.

Run as a file, without the service's environment, so that what breaks a decoder finds no secrets and
ends with this process. Pillow decodes and encodes; what is ours is the order of checks: memory and
time are bounded before Pillow is loaded, format and pixels before anything is decoded.

Answers on stdout with one line of JSON, ``{"width", "height"}`` and the JPEG after it, or
``{"refused"}``.
"""

from __future__ import annotations

import io
import json
import struct
import sys
import warnings
import zlib
from contextlib import suppress
from typing import Any, NoReturn

QUALITY = 85
SECONDS = 20
FORMATS = ("JPEG", "PNG", "WEBP")
BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error)
"""What Pillow raises for files that are cut off or not what they say."""


def main() -> None:
    pixels, side, memory = (int(text) for text in sys.argv[1:4])
    bound(memory)
    body = sys.stdin.buffer.read()
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - after the bounds

    Image.MAX_IMAGE_PIXELS = pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        picture = clean(body, pixels, side)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        refuse("too_many_pixels")
    except UnidentifiedImageError:
        refuse("not_a_picture")
    except MemoryError:
        refuse("too_much_memory")
    except BROKEN:
        refuse("broken")
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=QUALITY, optimize=True)
    answer({"width": picture.width, "height": picture.height}, target.getvalue())


def bound(memory: int) -> None:
    """Limits of the system, where it has them; a picture that needs more ends this process."""
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not on Windows

        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def clean(body: bytes, pixels: int, side: int) -> Any:
    """The first frame, upright, on white, at most ``side`` long; a new picture of pixels only."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - after the bounds

    with Image.open(io.BytesIO(body), formats=FORMATS) as opened:
        if opened.width * opened.height > pixels:
            refuse("too_many_pixels")
        opened.draft("RGB", (side, side))  # a JPEG is decoded at the size that is kept
        opened.thumbnail((side, side))
        flat = on_white(ImageOps.exif_transpose(opened))
    bare = Image.new("RGB", flat.size)
    bare.paste(flat)
    return bare


def on_white(picture: Any) -> Any:
    from PIL import Image  # noqa: PLC0415 - after the bounds

    if not picture.has_transparency_data:
        return picture.convert("RGB")
    seen = picture.convert("RGBA")
    white = Image.new("RGBA", seen.size, "white")
    white.alpha_composite(seen)
    return white.convert("RGB")


def refuse(because: str) -> NoReturn:
    answer({"refused": because})
    raise SystemExit(0)


def answer(head: dict[str, Any], body: bytes = b"") -> None:
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + body)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
