# Types for Cython; the module runs without this file.
cimport cython
from natant.codec.warp.envelope cimport join

cdef Py_ssize_t _MIDDLE
cdef Py_ssize_t _LARGE
cdef tuple _SHORT

@cython.locals(size=Py_ssize_t)
cpdef bytes frame(bytes payload)

@cython.locals(payload=bytes, text=str)
cpdef bytes event_payload(str header, str body, bint is_framed)

@cython.locals(body=str)
cpdef list event_payloads(str header, list bodies, bint is_framed)
