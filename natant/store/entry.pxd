# Types for Cython; the module runs without this file.
cimport cython

@cython.locals(kinds=bytearray, sizes=list, parts=list, kind=int, key=bytes, value=bytes, body=bytes)
cpdef bytes pack(object commit, object batch)
