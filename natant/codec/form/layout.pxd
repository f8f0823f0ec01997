# Types for Cython; the module runs without this file.
cimport cython
from natant.codec.recon cimport raw, sheet
from natant.codec.recon.check cimport check_value
from natant.codec.recon.reader cimport record_of
from natant.codec.recon.value cimport Attr, Record, Slot
from natant.codec.recon.writer cimport Writer, encode_pair

cdef bint _IS_COMPILED
cdef Py_ssize_t _DEPTH

@cython.final
cdef class Layout:
    cdef object shape
    cdef readonly object kind
    cdef str name
    cdef list labels
    cdef list attributes
    cdef dict index
    cdef list blank
    cdef list open
    cdef object reader
    cdef object read
    cdef object tag
    cdef object tag_field
    cdef bint is_strict
    cdef bint is_array
    cdef bint is_made
    cdef readonly bint is_direct
    cdef list exact_in
    cdef list exact_out
    cdef list decoders
    cdef list encoders
    cdef list layouts
    cdef list nullable
    cdef list marks
    cdef tuple head

    @cython.locals(record=Record, values=list, index=dict, exact=list, items=tuple, slot=Slot, place=Py_ssize_t, unnamed=Py_ssize_t, named=Py_ssize_t)
    cpdef object decode(self, object value)

    cpdef Record encode(self, object obj)

    @cython.locals(items=list, slot=Slot, place=Py_ssize_t)
    cpdef Record encode_after(self, tuple head, object obj)

    @cython.locals(writer=Writer, body=str)
    cpdef tuple texts(self, object obj)

    cpdef check(self, object obj)

    @cython.locals(place=Py_ssize_t, layout=Layout)
    cdef write(self, Writer writer, object obj)

    @cython.locals(place=Py_ssize_t, layout=Layout)
    cdef look(self, object obj, Py_ssize_t depth)

    cdef object wrong_class(self, object obj)
