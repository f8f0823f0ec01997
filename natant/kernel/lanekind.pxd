# Types for Cython; the module runs without this file.
from natant.kernel.cell cimport Cell

cdef class LaneKind:
    cdef public str name
    cdef public Py_ssize_t index
    cdef public bint is_volatile
    cdef public tuple again

    cpdef receive(self, Cell cell, object body)

cdef class Reader:
    cdef object _bodies
    cdef public bint is_done

    cpdef list read(self, Py_ssize_t count)
