# Types for Cython; the module runs without this file.
cimport cython
from natant.codec.recon.reader cimport Reader
from natant.codec.recon.value cimport Attr, Record, Slot

cpdef str to_text(object text)

cdef object _one(list out)

@cython.locals(reader=Reader, i=Py_ssize_t, c=Py_UCS4)
cpdef object decode_body(object text, object limits=*)

@cython.locals(reader=Reader)
cpdef object decode(object text, object limits=*)

@cython.locals(reader=Reader)
cpdef Record decode_block(object text, object limits=*)
