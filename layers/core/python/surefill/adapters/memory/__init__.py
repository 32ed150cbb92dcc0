"""The store in memory: exact, fast and copyable."""

from surefill.adapters.memory.store import MemoryStore, Snapshot

__all__ = ["MemoryStore", "Snapshot"]
