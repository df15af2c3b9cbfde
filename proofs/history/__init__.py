"""Proof: what the service told its clients is one history that could have happened (T39)."""
