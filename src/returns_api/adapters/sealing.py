"""Sealing other people's secrets with Fernet, and the keyed hash that finds a person again.

Owns deriving one key per purpose from each master key and opening what an older key sealed. Refuses
to own where master keys come from (``config``) and what is sealed (``usecases``).
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
OPENED_KEPT: Final = 256


class FernetSealer:
    """``ports.sealing.Sealer``. The first key seals, every key opens.

    A hash has to stay the same for as long as the rows that hold it, so it comes from the *last*
    key: rotate by putting the new key in front, and keep the last one where it is.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        """``keys`` are 32 bytes each, newest first. Raises ``ValueError`` for anything else."""
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"sealing needs at least one key of {KEY_BYTES} bytes")
        self._fernet = MultiFernet(
            [Fernet(urlsafe_b64encode(_derive(key, b"seal"))) for key in keys]
        )
        self._hash_key = _derive(keys[-1], b"hash")
        # Opening costs as much as a statement; what was opened is no more secret than these keys.
        self._opened = lru_cache(OPENED_KEPT)(self._open)

    def seal(self, text: str) -> bytes:
        """Encrypted and authenticated, with the newest key."""
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """The text again. Raises ``ValueError`` when none of the keys sealed it."""
        return self._opened(bytes(sealed))

    def _open(self, sealed: bytes) -> str:
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise ValueError("sealed with a key that this service does not have") from None

    def keyed_hash(self, text: str) -> bytes:
        """HMAC-SHA256: 32 bytes, the same for the same text, useless without the key."""
        return hmac.digest(self._hash_key, text.encode(), hashlib.sha256)


def _derive(key: bytes, purpose: bytes) -> bytes:
    """One key per purpose (RFC 5869), so that a leaked hash key opens nothing."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"returns-api " + purpose).derive(key)
