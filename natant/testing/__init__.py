"""What users of natant test with: a plane in memory with a virtual clock, and contract kits."""

from natant.testing.clock import VirtualClock, VirtualEnv
from natant.testing.plane import Peer, TestPlane, plane
from natant.testing.store_kit import DurableStoreContract, StoreContract

__all__ = ["DurableStoreContract", "Peer", "StoreContract", "TestPlane", "VirtualClock", "VirtualEnv", "plane"]
