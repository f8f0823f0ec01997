# Types for Cython; the module runs without this file.
cimport cython
from natant.server cimport mask

cdef Py_ssize_t _HEAD
cdef int _TEXT
cdef int _BINARY
cdef Py_ssize_t _HUGE

cdef class Inlet:
    cdef object _peer
    cdef object _wire
    cdef bytearray _data
    cdef object _view
    cdef Py_ssize_t _end
    cdef Py_ssize_t _largest
    cdef public Py_ssize_t owed

    @cython.locals(data=bytearray, end=Py_ssize_t, at=Py_ssize_t, start=Py_ssize_t, stop=Py_ssize_t, size=Py_ssize_t, kind=int, is_masked=bint)
    cpdef take(self, Py_ssize_t count)
    @cython.locals(size=Py_ssize_t, place=Py_ssize_t)
    cdef Py_ssize_t _length(self, Py_ssize_t at)
    @cython.locals(text=str)
    cdef _give(self, Py_ssize_t start, Py_ssize_t size)
    cdef bint _pass_on(self, Py_ssize_t start, Py_ssize_t stop) except -1
