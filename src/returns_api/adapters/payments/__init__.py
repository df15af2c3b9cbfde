"""Payment providers, one file each, all held to ``adapters.conformance.payments``."""
