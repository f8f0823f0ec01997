# Types for Cython; the module runs without this file.
cimport cython

cdef class Attr:
    cdef readonly object name
    cdef readonly object value

cdef class Slot:
    cdef readonly object key
    cdef readonly object value

cdef class Record:
    cdef readonly tuple items

    @cython.locals(items=tuple, slot=Slot, attr=Attr)
    cpdef object get(self, object key, object default=*)
