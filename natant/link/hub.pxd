# Types for Cython; the module runs without this file.
cimport cython
from natant.kernel.counter cimport Counter

cdef class Outlet:
    cdef public Hub hub
    cdef public object remote
    cdef public list ready
    cdef public Py_ssize_t burst
    cdef public Py_ssize_t burst_characters
    cdef public bint is_framed
    cdef public bint is_closed
    cdef public bint is_dirty
    cdef public bint is_blocked

    cpdef flush(self)
    cpdef fail(self)
    cpdef mark(self)

cdef class Hub:
    cdef public object host
    cdef public object env
    cdef public Counter counter
    cdef public object config
    cdef public object log
    cdef public object authenticator
    cdef public object policy
    cdef public set sessions
    cdef public Py_ssize_t syncs
    cdef list _dirty
    cdef bint _is_flush_due
    cdef Py_ssize_t _eager
    cdef public dict _headers
    cdef dict _awaited

    cpdef mark(self, Outlet outlet)
    @cython.locals(count=Py_ssize_t)
    cpdef end_read(self)
    @cython.locals(dirty=list, outlet=Outlet)
    cpdef flush(self)
    cpdef bint may(self, object identity, str verb, object cell, object lane)
