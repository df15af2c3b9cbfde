"""Proof that silence has each outcome exactly once; see ``__main__``."""
