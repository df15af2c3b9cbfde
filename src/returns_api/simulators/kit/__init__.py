"""What the simulators share: a small ASGI layer, seeded faults, durable webhooks, SQLite."""
