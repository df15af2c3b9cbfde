"""Shop platforms: each reads its own webhooks into the facts of ``domain.orders``."""
