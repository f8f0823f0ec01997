# Types for Cython; the module runs without this file.
cimport cython

@cython.freelist(64)
cdef class Event:
    cdef public Py_ssize_t lane
    cdef public int op
    cdef public str body
    cdef public object key
    cdef public tuple removed
    cdef public object header
    cdef public bytes payload

cdef class Watcher:
    cpdef offer(self, Event event)
    cpdef fail(self, object error)
