# Types for Cython; the module runs without this file.
cimport cython
from natant.kernel.cell cimport Cell
from natant.kernel.change cimport Event
from natant.kernel.turn cimport Turn, require_turn
from natant.lane.base cimport Lane, encode_key, encode_texts, refuse_unwritable
from natant.lane.exact_dict cimport ExactBase

cdef class MapBase(Lane)

cdef class EntriesBase:
    cdef public Cell _cell
    cdef public MapBase _lane
    cdef public ExactBase data
    cdef public object order
    cdef public ExactBase stamp
    cdef public bint has_lost

cdef class MapBase(Lane):
    cdef public object key_form
    cdef public object form
    cdef object _typed_key
    cdef object _typed
    cdef public bint is_stamped

    cpdef entries(self, Cell cell)
    cpdef get(self, Cell cell, object key)
    @cython.locals(turn=Turn, state=EntriesBase, data=ExactBase, callbacks=dict, links=dict, is_kept=bint, is_told=bint, wire=str, exact=str, key_wire=str, key_exact=str, record=bytes)
    cpdef put(self, Cell cell, object key, object value)
    cpdef tuple texts(self, Cell cell, object value)
    cpdef refuse_value(self, Cell cell, object value)
