# Types for Cython; the module runs without this file.
cimport cython
from natant.codec.recon cimport raw
from natant.codec.recon.parse cimport decode_body, read_body
from natant.codec.recon.reader cimport Reader

cdef bint _IS_COMPILED

cdef class Envelope:
    cdef public str tag
    cdef public object node
    cdef public object lane
    cdef public double prio
    cdef public double rate
    cdef object _body
    cdef str _text
    cdef Py_ssize_t _start

@cython.locals(opening=Py_ssize_t, start=Py_ssize_t, stop=Py_ssize_t, first=Py_ssize_t, last=Py_ssize_t, tag=str, node=str, lane=str, envelope=Envelope)
cdef Envelope _decode_common(str text)

@cython.locals(chars="const unsigned char*", end=Py_ssize_t, i=Py_ssize_t, c=Py_UCS4, is_after_slash=bint)
cdef bint _is_plain(str node)

@cython.locals(reader=Reader)
cdef Envelope _decode_any(str text)

@cython.locals(c=Py_UCS4)
cpdef str join(str head, str body_text)

@cython.locals(text=str, data=bytes)
cpdef Envelope decode(object payload)
