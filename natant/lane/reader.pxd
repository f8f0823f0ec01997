# Types for Cython; the module runs without this file.
cimport cython
from natant.codec.recon.writer cimport encode
from natant.codec.warp.envelope cimport join
from natant.kernel.cell cimport Cell
from natant.kernel.lanekind cimport Reader
from natant.lane.base cimport encode_key
from natant.lane.exact_dict cimport ExactBase
from natant.lane.map_base cimport EntriesBase, MapBase

cdef class MapReader(Reader):
    cdef MapBase _lane
    cdef Cell _cell
    cdef EntriesBase _entries
    cdef list _keys
    cdef Py_ssize_t _at

    @cython.locals(lane=MapBase, keys=list, at=Py_ssize_t, stop=Py_ssize_t, data=ExactBase, out=list, key_text=str, text=str)
    cpdef list read(self, Py_ssize_t count)
