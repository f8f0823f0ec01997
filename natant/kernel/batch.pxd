# Types for Cython; the module runs without this file.
cimport cython

@cython.locals(batch=list)
cpdef list gather(object units)
