# Types for Cython; the module runs without this file.
cimport cython
from natant.codec.recon cimport raw
from natant.codec.recon.number cimport read_number
from natant.codec.recon.value cimport Attr, Record, Slot

cdef bint _IS_COMPILED
cdef Py_ssize_t _DEPTH
cdef Py_ssize_t _SIZE
cdef Py_ssize_t _ITEMS
cdef tuple _POWERS
cdef str _OPERATORS

cdef long long _MAX_EXACT

@cython.locals(record=Record)
cpdef Record record_of(list out)

cdef bint is_bool(str word)

@cython.final
cdef class Reader:
    cdef const unsigned char* chars
    cdef bint is_narrow
    cdef public Py_ssize_t depth
    cdef public Py_ssize_t end
    cdef public Py_ssize_t pos
    cdef public Py_ssize_t room
    cdef public str text

    @cython.locals(size=Py_ssize_t)
    cdef open(self, str text, Py_ssize_t start, object limits)

    @cython.locals(text=str, i=Py_ssize_t, end=Py_ssize_t)
    cdef blanks(self)

    @cython.locals(text=str, i=Py_ssize_t, end=Py_ssize_t, c=Py_UCS4)
    cdef whites(self)

    cdef enter(self)

    @cython.locals(text=str, i=Py_ssize_t, end=Py_ssize_t, start=Py_ssize_t, c=Py_UCS4, slot=Slot)
    cdef items(self, list out, Py_UCS4 closer)

    @cython.locals(i=Py_ssize_t, c=Py_UCS4)
    cdef object item(self, bint is_key)

    @cython.locals(i=Py_ssize_t, start=Py_ssize_t, first=Py_UCS4, word=str)
    cdef object quick(self, bint is_key)

    @cython.locals(text=str, i=Py_ssize_t, end=Py_ssize_t, c=Py_UCS4, out=list)
    cdef object expression(self)

    cdef attributed(self, list out)

    @cython.locals(c=Py_UCS4)
    cdef operand(self, list out)

    @cython.locals(text=str, i=Py_ssize_t, c=Py_UCS4, attribute=Attr)
    cdef Attr attribute(self)

    @cython.locals(out=list)
    cdef object arguments(self)

    @cython.locals(text=str, i=Py_ssize_t, c=Py_UCS4, word=str)
    cdef object literal(self)

    @cython.locals(text=str, i=Py_ssize_t, end=Py_ssize_t, start=Py_ssize_t, c=Py_UCS4)
    cdef str ident(self)

    @cython.locals(chars="const unsigned char*", i=Py_ssize_t, end=Py_ssize_t, start=Py_ssize_t, first=Py_ssize_t, point=Py_ssize_t, whole=cython.longlong, c=Py_UCS4, number=double, power=double)
    cdef object simple(self)

    @cython.locals(text=str, i=Py_ssize_t, end=Py_ssize_t, opening=Py_ssize_t, start=Py_ssize_t, c=Py_UCS4, parts=list, inline=list)
    cdef markup(self, list out)

    @cython.locals(c=Py_UCS4)
    cdef nested(self, list out)

    @cython.locals(i=Py_ssize_t, at=Py_ssize_t, c=Py_UCS4)
    cdef str escape(self)
