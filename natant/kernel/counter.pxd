# Types for Cython; the module runs without this file.

cdef class Counter:
    cdef public long activations
    cdef public long commands
    cdef public long conflated
    cdef public long deliveries_refused
    cdef public long duplicates
    cdef public long faults
    cdef public long form_errors
    cdef public long frames_in
    cdef public long frames_out
    cdef public long idle_stops
    cdef public long links_opened
    cdef public long links_refused
    cdef public long outbox_records
    cdef public long overflows
    cdef public long parked
    cdef public long policy_refusals
    cdef public long removals
    cdef public long resyncs
    cdef public long sends
    cdef public long sends_undeliverable
    cdef public long sessions_opened
    cdef public long tasks
    cdef public long timeouts
    cdef public long timers_fired
    cdef public long turns
    cdef public long unknown_lanes
    cdef public long unknown_nodes
    cdef public long warp_errors
