"""Proof: a provider that is away delays its own refunds, fails none and holds up nobody else."""
