# Types for Cython; the module runs without this file.
cimport cython
from natant.codec.recon.check cimport check
from natant.kernel.cell cimport Cell
from natant.kernel.change cimport Event
from natant.kernel.lanekind cimport LaneKind
from natant.kernel.run cimport Loop
from natant.kernel.turn cimport Turn

cdef str _LANE

cdef class Lane(LaneKind):
    cdef public str attribute
    cdef public str _tail
    cdef public str doc
    cdef public str owner
    cdef public dict callbacks
    cdef public list marks
    cdef public bint is_published
    cdef public object bucket

    cpdef bind(self, Py_ssize_t index)
    @cython.locals(host=Loop)
    cpdef bint is_kept(self, Cell cell)
    cpdef bint is_stored(self, Cell cell)
    cpdef bytes prefix(self, Cell cell)
    cpdef bytes entry_key(self, Cell cell, str text)
    @cython.locals(links=dict)
    cpdef note(self, Cell cell, Turn turn, Event event)

cpdef tuple encode_texts(Lane lane, Cell cell, object form, object value)
cpdef tuple encode_key(Lane lane, Cell cell, object form, object key)
cpdef refuse_unwritable(Lane lane, Cell cell, object form, object value)
