# Types for Cython; the module runs without this file.
cimport cython

cdef class Journal:
    cdef public object store
    cdef public object env
    cdef public object sequence
    cdef public object fault
    cdef public long groups
    cdef public long units
    cdef public object on_release
    cdef public object on_fault
    cdef public object on_broken
    cdef public object on_deposed
    cdef object _before_cut
    cdef object _commit
    cdef list _open
    cdef list _writing
    cdef list _idle_waiters
    cdef bint _is_cut_due
    cdef bint _is_closed

    cpdef add(self, object unit)
    @cython.locals(group=list)
    cpdef _written(self)
    cpdef _release(self, object unit, object sequence)
