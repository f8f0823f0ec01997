# Types for Cython; the module runs without this file.
cimport cython
from natant.kernel.cell cimport Cell
from natant.kernel.change cimport Event
from natant.kernel.turn cimport Turn, require_turn
from natant.lane.base cimport Lane, encode_texts, refuse_unwritable

cdef class ValueBase(Lane):
    cdef public object form
    cdef public object default
    cdef object _typed

    @cython.locals(turn=Turn, callbacks=dict, links=dict, wire=str, exact=str)
    cpdef put(self, Cell cell, object value)
    cpdef receive(self, Cell cell, object body)
    cpdef _load(self, Cell cell)
