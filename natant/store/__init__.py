"""Where durable lanes are kept: the contract, in memory, on RocksDB."""
