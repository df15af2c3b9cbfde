"""``python -m returns_api.cli``: the same program where its script is not on PATH."""

from __future__ import annotations

from returns_api.cli import main

main()
