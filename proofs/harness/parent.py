"""Imported last by the parent of forked children, and by nothing else.

What is loaded by now is never collected again, so that no child's collector walks (and thereby
copies) it. The parent ends when the proof does, even by SIGKILL, and its children end with it.
"""

from __future__ import annotations

import gc

from proofs.harness.programs import die_with_parent

die_with_parent()
gc.collect()
gc.freeze()
