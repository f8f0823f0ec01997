"""How RocksDB is set up: for very many small records, on a machine that has other things to do.

What the numbers bound: memory is at most ``CACHE_BYTES`` for blocks, indexes and filters together, plus ``WRITE_BUFFERS``
times ``BUFFER_BYTES`` of fresh writes, plus ``OPEN_FILES`` table handles; background work has ``BACKGROUND_JOBS`` threads; RocksDB's own
``LOG`` file has at most two parts of ``TALK_BYTES``.

Called by :mod:`natant.store.rocks`.
"""

from __future__ import annotations

from rocksdict import (
    BlockBasedIndexType,
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    WriteOptions,
)

__all__ = ["BUFFER_BYTES", "CACHE_BYTES", "WRITE_BUFFERS", "options", "write_options"]

#: memory for blocks, indexes and filters together
CACHE_BYTES = 64 << 20
#: fresh writes that gather in one buffer in memory; small, since to put a key into its order costs twice as much where a buffer
#: outgrows the processor's cache
BUFFER_BYTES = 4 << 20
#: so many of these buffers may exist at a time
WRITE_BUFFERS = 8
#: so many of them become one table
MERGED_BUFFERS = 4
#: tables of a window each that are there before they are merged into the others; a scan looks into all of them
FRESH_TABLES = 8
#: table files that are kept open
OPEN_FILES = 256
#: threads that write tables and merge them
BACKGROUND_JOBS = 2
#: each of the two parts of RocksDB's own file `LOG`
TALK_BYTES = 1 << 20
#: one block of a table
BLOCK_BYTES = 8 << 10
#: one part of a table's index or filter
META_BLOCK_BYTES = 4 << 10
#: bits of a table's filter for each key
BLOOM_BITS_PER_KEY = 10
#: steps in which RocksDB's list of files grows
MANIFEST_STEP_BYTES = 64 << 10


def options(*, is_new: bool, cache: Cache, buffer_bytes: int = BUFFER_BYTES) -> Options:
    """All options of the database."""
    table = BlockBasedOptions()
    table.set_block_cache(cache)
    table.set_block_size(BLOCK_BYTES)
    table.set_bloom_filter(BLOOM_BITS_PER_KEY, False)
    # Indexes and filters count against the cache: memory stays bounded however many tables there are.
    table.set_cache_index_and_filter_blocks(True)
    table.set_pin_l0_filter_and_index_blocks_in_cache(True)
    # In small parts: a filter of one piece outgrows its shard of the cache, and is then read from the file at every get.
    table.set_index_type(BlockBasedIndexType.two_level_index_search())
    table.set_partition_filters(True)
    table.set_metadata_block_size(META_BLOCK_BYTES)
    table.set_pin_top_level_index_and_filter(True)
    table.set_format_version(5)

    chosen = Options(raw_mode=True)
    chosen.create_if_missing(is_new)
    chosen.set_error_if_exists(False)
    chosen.set_block_based_table_factory(table)
    chosen.set_paranoid_checks(True)
    chosen.set_write_buffer_size(buffer_bytes)
    chosen.set_level_zero_file_num_compaction_trigger(FRESH_TABLES)
    chosen.set_max_write_buffer_number(WRITE_BUFFERS)
    chosen.set_min_write_buffer_number_to_merge(MERGED_BUFFERS)
    chosen.set_allow_concurrent_memtable_write(False)  # one thread writes
    # Keys that are not there (the first touch of an agent) are found missing without a look at the tables.
    chosen.set_memtable_whole_key_filtering(True)
    chosen.set_memtable_prefix_bloom_ratio(0.02)
    chosen.set_compression_type(DBCompressionType.lz4())
    chosen.set_level_compaction_dynamic_level_bytes(True)
    chosen.set_max_background_jobs(BACKGROUND_JOBS)
    chosen.set_max_subcompactions(1)
    chosen.set_max_open_files(OPEN_FILES)
    chosen.set_bytes_per_sync(1 << 20)
    chosen.set_skip_stats_update_on_db_open(True)
    chosen.set_manifest_preallocation_size(MANIFEST_STEP_BYTES)
    chosen.set_max_log_file_size(TALK_BYTES)
    chosen.set_keep_log_file_num(2)
    chosen.set_stats_dump_period_sec(0)
    chosen.set_stats_persist_period_sec(0)
    return chosen


def write_options() -> WriteOptions:
    """How a batch is written: into memory only, since our own log has it already.

    ``rocksdict`` holds Python's global lock during a write, so what can take long happens elsewhere: a stall by a pause of
    our own (``no_slowdown``).
    """
    chosen = WriteOptions()
    chosen.disable_wal = True  # type: ignore[assignment, method-assign]  # an attribute, whatever the stub says
    chosen.no_slowdown = True
    return chosen
