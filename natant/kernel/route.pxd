# Types for Cython; the module runs without this file.
cimport cython

cdef class Route:
    cdef public tuple names
    cdef public str pattern
    cdef public str shape
    cdef public str start
    cdef bint _is_simple
    cdef object _match

    @cython.locals(segment=str)
    cpdef bint fits(self, str node)
