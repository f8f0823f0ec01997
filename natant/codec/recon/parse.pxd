# Types for Cython; the module runs without this file.
cimport cython
from natant.codec.recon cimport raw
from natant.codec.recon.reader cimport Reader, record_of
from natant.codec.recon.value cimport Attr, Record, Slot

cpdef str to_text(object text)

cdef object _one(list out)

cpdef object decode_body(object text, object limits=*)

@cython.locals(reader=Reader, out=list, i=Py_ssize_t, c=Py_UCS4)
cpdef object read_body(str text, Py_ssize_t start, object limits)

@cython.locals(reader=Reader, out=list)
cpdef object decode(object text, object limits=*)

@cython.locals(reader=Reader, out=list)
cpdef Record decode_block(object text, object limits=*)
