"""What users of natant test with: a plane in memory with a virtual clock, a cluster's ground in memory, and contract kits."""

from natant.testing.clock import VirtualClock, VirtualEnv
from natant.testing.cluster import TestCluster, cluster
from natant.testing.fabric import SimulatedGround
from natant.testing.fabric_kit import FabricContract
from natant.testing.plane import Peer, TestPlane, plane
from natant.testing.store_kit import DurableStoreContract, StoreContract

__all__ = [
    "DurableStoreContract",
    "FabricContract",
    "Peer",
    "SimulatedGround",
    "StoreContract",
    "TestCluster",
    "TestPlane",
    "VirtualClock",
    "VirtualEnv",
    "cluster",
    "plane",
]
