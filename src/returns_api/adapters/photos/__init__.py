"""Pictures: made anew in a process of their own, and kept on a disk or in an object store."""

from returns_api.adapters.photos.cleaning import ApartCleaner
from returns_api.adapters.photos.store import ObjectStore

__all__ = ["ApartCleaner", "ObjectStore"]
