"""The key that seals the providers' secrets: its written form, and the one that development keeps.

Owns what a key looks like and how a file comes to hold one. Refuses to own whether there has to be
one (``config``) and what is sealed with it (``adapters.sealing``).
"""

from __future__ import annotations

import os
import secrets
from base64 import b64decode, urlsafe_b64encode
from contextlib import suppress
from pathlib import Path
from typing import Final

SECRET_KEY_BYTES: Final = 32


def decode_key(text: str) -> bytes:
    """The bytes of a key in base64url, with or without padding. Raises: ValueError."""
    try:
        found = b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        found = b""
    if len(found) != SECRET_KEY_BYTES:
        raise ValueError(f"a secret key is {SECRET_KEY_BYTES} bytes in base64url")
    return found


def kept_key(path: Path) -> bytes:
    """The key in ``path``, made if there is none; two processes that start at once get one key."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(urlsafe_b64encode(secrets.token_bytes(SECRET_KEY_BYTES)).decode())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(made)
        made.unlink()
    return decode_key(path.read_text(encoding="ascii").strip())
