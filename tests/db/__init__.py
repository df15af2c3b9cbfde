"""Tests of the database storey."""
