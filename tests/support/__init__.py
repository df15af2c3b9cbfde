"""Helpers of the tests: what starts servers, and small builders. No test stands here."""
