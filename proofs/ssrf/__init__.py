"""Proof: no webhook address reaches this machine, however it is written (T31)."""
