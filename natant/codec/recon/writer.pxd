# Types for Cython; the module runs without this file.
cimport cython
from natant.codec.recon.value cimport Attr, Record, Slot

cdef bint _IS_COMPILED

cdef class Writer:
    cdef public Py_ssize_t depth
    cdef public bint is_exact
    cdef public bint is_lossy
    cdef public list out

    cpdef value(self, object value)

    @cython.locals(text=str)
    cdef str floating(self, object value)

    @cython.locals(i=Py_ssize_t, count=Py_ssize_t, start=Py_ssize_t)
    cdef expression(self, tuple items)

    cdef enter(self)

    cdef record(self, tuple items)

    @cython.locals(at=Py_ssize_t, piece=str)
    cdef operand(self, tuple items, bint follows)

    cdef attribute(self, Attr attr)

    @cython.locals(count=Py_ssize_t, is_bare=bint)
    cdef arguments(self, tuple items)

    @cython.locals(out=list, is_first=bint)
    cdef block(self, tuple items)

    cdef body(self, object value, bint is_whole)

cdef bint _is_empty(object value)
@cython.locals(c=Py_UCS4, is_first=bint)
cdef bint _is_word(str text)

cpdef str _text(str text)
cpdef str _integer(object value)
