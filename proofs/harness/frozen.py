"""Imported last by the parent of forked children: what is loaded by now is never collected again,
so that no child's collector walks (and thereby copies) it."""

from __future__ import annotations

import gc

gc.collect()
gc.freeze()
