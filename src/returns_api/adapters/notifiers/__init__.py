"""Adapters that tell people something: one file a way of sending, and the words."""
