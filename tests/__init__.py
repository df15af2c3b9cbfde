"""Tests, storey by storey."""
