# Types for Cython; the module runs without this file.
cimport cython
from natant.kernel.cell cimport Cell
from natant.kernel.change cimport Event
from natant.lane.base cimport Lane

cdef class CommandLane(Lane):
    cdef public object function
    cdef public object queue
    cdef public str overflow
    cdef bint _takes
    cdef bint _is_optional
    cdef bint _is_plain
    cdef str _parameter
    cdef object _form

    cpdef receive(self, Cell cell, object body)
