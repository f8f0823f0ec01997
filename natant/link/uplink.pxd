# Types for Cython; the module runs without this file.
cimport cython
from natant.kernel.cell cimport Cell
from natant.kernel.change cimport Event, Watcher
from natant.codec.warp.frame cimport event_payload, event_payloads, frame
from natant.kernel.lanekind cimport Reader
from natant.link.hub cimport Hub, Outlet

cdef class Uplink(Watcher):
    cdef public Outlet session
    cdef public Cell cell
    cdef public object lane
    cdef public str node
    cdef public str lane_text
    cdef public str event_header
    cdef public double prio
    cdef public double gap_s
    cdef public double next_s
    cdef public bint is_framed
    cdef public bint is_ready
    cdef public bint is_attached
    cdef public bint is_closed
    cdef public bint is_sync_asked
    cdef public object held

    cpdef offer(self, Event event)
    cpdef begin_sync(self, object bodies, bint is_told=*)
    cpdef bint drain(self, list out) except -1
    cpdef end(self)
    @cython.locals(session=Outlet)
    cpdef ready(self)
    @cython.locals(payload=bytes)
    cpdef bytes payload(self, Event event)
    cpdef bint is_held(self) except -1
    cpdef conflated(self, Py_ssize_t count=*)

cdef class LatestUplink(Uplink):
    cdef public list queue
    cdef public Py_ssize_t size
    cdef public bint is_sync_due

    @cython.locals(session=Outlet)
    cdef bint is_behind(self, Py_ssize_t size)
    @cython.locals(queue=list, size=Py_ssize_t)
    cpdef offer(self, Event event)
    @cython.locals(queue=list, event=Event)
    cpdef bint drain(self, list out) except -1

cdef class KeyedUplink(Uplink):
    cdef public dict queue
    cdef public Reader cursor
    cdef public list chunk
    cdef public bint is_told
    cdef public bint is_waiting

    @cython.locals(queue=dict, op=int)
    cpdef offer(self, Event event)
    @cython.locals(cursor=Reader, part=list)
    cpdef read_chunk(self)
    cdef _end_reading(self)
    @cython.locals(queue=dict, is_syncing=bint)
    cpdef bint drain(self, list out) except -1
    cdef bint _drain_sync(self, list out) except -1
    @cython.locals(event=Event)
    cdef _drain_queue(self, list out)

cdef class QueueUplink(Uplink):
    cdef public object queue
    cdef public Py_ssize_t limit
    cdef public str overflow
    cdef public bint is_sync_due

    @cython.locals(event=Event)
    cpdef bint drain(self, list out) except -1

cdef class OrderedUplink(Uplink):
    cdef public object queue
    cdef public Py_ssize_t limit
    cdef public object state
    cdef public bint is_sync_due
    cdef public bint is_lost

    @cython.locals(event=Event)
    cpdef bint drain(self, list out) except -1
