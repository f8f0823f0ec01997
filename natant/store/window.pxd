# Types for Cython; the module runs without this file.
cimport cython

cdef int _PUT
cdef int _DELETE

cdef class Window:
    cdef public dict values
    cdef public dict stems
    cdef public bint was_scanned

    cpdef take(self, dict latest)
    @cython.locals(stems=dict, found=list, key=bytes, stem=bytes)
    cpdef _index(self, dict keys, dict known)
    @cython.locals(found=dict)
    cpdef dict under(self, bytes prefix)
    @cython.locals(values=dict, key=bytes)
    cpdef _pick(self, list keys, bytes prefix, dict found)

@cython.locals(latest=dict, kind=int, key=bytes, value=bytes)
cpdef gather(object batch)

@cython.locals(key=bytes, value=bytes, whole=bytes)
cpdef encode(object pairs, object put, object delete)
