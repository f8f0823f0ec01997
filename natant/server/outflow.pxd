# Types for Cython; the module runs without this file.
cimport cython
from natant.server cimport send

cdef class Outflow:
    cdef object _write
    cdef object _backlog
    cdef int _file
    cdef bint _is_ended

    cpdef end(self)
    @cython.locals(data=bytes, sent=Py_ssize_t)
    cpdef write(self, list payloads)
