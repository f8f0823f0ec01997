# Types for Cython; the module runs without this file.
cimport cython

@cython.locals(stop=Py_ssize_t, piece=str)
cpdef tuple read_quoted(str text, Py_ssize_t start)

@cython.locals(quote=Py_UCS4, c=Py_UCS4, i=Py_ssize_t, end=Py_ssize_t, begin=Py_ssize_t, escape=str, parts=list)
cdef tuple _read_slowly(str text, Py_ssize_t start)

@cython.locals(i=Py_ssize_t, end=Py_ssize_t, digits=Py_ssize_t)
cpdef tuple read_data(str text, Py_ssize_t start)
