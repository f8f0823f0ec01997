# Types for Cython; the module runs without this file.

cdef class ExactBase:
    cdef public dict _values
    cdef public dict _keys

    cpdef find(self, object key)
    cpdef put(self, object key, object value)
    cpdef take_out(self, object key)
