"""Proof: refunds through half an hour of trouble, each moved once, none lost, none stuck (T07)."""
