"""Secrets come back only with a key that sealed them; hashes stay the same over a rotation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.adapters.sealing import FernetSealer

OLD, NEW, FOREIGN = b"o" * 32, b"n" * 32, b"f" * 32


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_what_was_sealed_comes_back(text: str) -> None:
    sealer = FernetSealer([OLD])
    sealed = sealer.seal(text)
    assert sealer.open(sealed) == text
    assert len(text) < 8 or text.encode() not in sealed


def test_sealing_twice_gives_different_bytes() -> None:
    sealer = FernetSealer([OLD])
    assert sealer.seal("secret") != sealer.seal("secret")


def test_a_rotated_sealer_opens_old_and_seals_new() -> None:
    before, after = FernetSealer([OLD]), FernetSealer([NEW, OLD])
    assert after.open(before.seal("secret")) == "secret"
    with pytest.raises(ValueError, match="a key that this service does not have"):
        before.open(after.seal("secret"))


def test_a_foreign_or_changed_seal_is_refused() -> None:
    sealer, sealed = FernetSealer([OLD]), FernetSealer([FOREIGN]).seal("secret")
    own = bytearray(sealer.seal("secret"))
    own[20] ^= 1
    for wrong in (sealed, bytes(own), b"", b"\xff\x00"):
        with pytest.raises(ValueError, match="does not have"):
            sealer.open(wrong)


def test_a_keyed_hash_outlives_a_rotation_and_needs_the_key() -> None:
    mine, rotated, foreign = (FernetSealer(keys) for keys in ([OLD], [NEW, OLD], [FOREIGN]))
    assert mine.keyed_hash("ada@example.com") == rotated.keyed_hash("ada@example.com")
    assert mine.keyed_hash("ada@example.com") != foreign.keyed_hash("ada@example.com")
    assert len(mine.keyed_hash("")) == 32


@pytest.mark.parametrize("keys", [[], [b"short"], [OLD, b""]])
def test_unusable_keys_are_refused_at_once(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        FernetSealer(keys)
