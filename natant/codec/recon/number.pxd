# Types for Cython; the module runs without this file.
cimport cython

cdef double _MAX_EXACT

cpdef str float_text(object value, bint is_exact)

@cython.locals(end=Py_ssize_t, i=Py_ssize_t, first=Py_ssize_t, c=Py_UCS4, number=double)
cpdef tuple read_number(str text, Py_ssize_t start)

@cython.locals(end=Py_ssize_t)
cdef Py_ssize_t _digits(str text, Py_ssize_t i)

@cython.locals(end=Py_ssize_t, i=Py_ssize_t)
cdef tuple _based(str text, Py_ssize_t start, Py_ssize_t first, int base)
