"""Carriers, one file each, all held to ``adapters.conformance.carriers``."""
