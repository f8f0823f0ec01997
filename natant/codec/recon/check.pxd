# Types for Cython; the module runs without this file.
cimport cython
from natant.codec.recon cimport raw
from natant.codec.recon.value cimport Attr, Record, Slot

cdef Py_ssize_t _DEPTH

cpdef check(object value)

@cython.locals(number=double)
cpdef check_value(object value, Py_ssize_t depth)

cdef _str(str text)

@cython.locals(slot=Slot)
cdef _items(tuple items, Py_ssize_t depth)

cdef _attribute(Attr attr, Py_ssize_t depth)
