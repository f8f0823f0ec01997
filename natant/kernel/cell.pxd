# Types for Cython; the module runs without this file.

cimport cython

cdef class Cell:
    cdef public str node
    cdef public object _host
    cdef public list _state
    cdef public dict _links
    cdef public object _mail
    cdef public object _turn
    cdef public long _touched
    cdef public int _pending
    cdef public bint _is_busy
    cdef public bint _is_known

    cpdef _bind(self, object host, str node)
    cpdef _lane(self, str name)
