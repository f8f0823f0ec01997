# Types for Cython; the module runs without this file.
cimport cython
from natant.codec.recon cimport sheet
from natant.codec.recon.number cimport float_text
from natant.codec.recon.value cimport Attr, Record, Slot

@cython.final
cdef class Writer:
    cdef public Py_ssize_t depth
    cdef public bint is_exact
    cdef public bint is_lossy
    cdef bytearray out

    cdef open(self, bint is_exact)

    cdef value(self, object value)

    cdef text(self, str text)

    @cython.locals(text=str, done=int)
    cdef real(self, object value)

    @cython.locals(mark=Py_UCS4)
    cdef pairs(self, dict pairs)

    @cython.locals(i=Py_ssize_t, count=Py_ssize_t, start=Py_ssize_t)
    cdef expression(self, tuple items)

    cdef enter(self)

    cdef record(self, tuple items)

    @cython.locals(text=str)
    cdef operand(self, tuple items, bint follows)

    cdef attribute(self, Attr attr)

    @cython.locals(count=Py_ssize_t, is_bare=bint)
    cdef arguments(self, tuple items)

    @cython.locals(out=bytearray, is_first=bint, slot=Slot)
    cdef block(self, tuple items)

    cdef body(self, object value, bint is_whole)

cdef bint _has_attr(tuple items)

cdef bint _is_empty(object value)
cpdef str _text(str text)
cpdef str _integer(object value)

@cython.locals(writer=Writer)
cpdef str encode(object value, bint exact=*)

@cython.locals(writer=Writer)
cpdef str encode_body(object value, bint whole=*)

@cython.locals(writer=Writer, body=str, text=str)
cpdef tuple encode_pair(object value, bint whole=*)

@cython.locals(writer=Writer)
cpdef str encode_block(object value, bint exact=*)
