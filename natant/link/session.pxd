# Types for Cython; the module runs without this file.
cimport cython
from natant.codec.warp.envelope cimport Envelope, decode
from natant.codec.warp.frame cimport frame
from natant.kernel.cell cimport Cell
from natant.kernel.lanekind cimport LaneKind
from natant.kernel.run cimport Loop
from natant.link.hub cimport Hub, Outlet
from natant.link.uplink cimport Uplink

cdef class Session(Outlet):
    cdef public Loop host
    cdef public dict agents
    cdef public object sink
    cdef public object request_uri
    cdef public object identity
    cdef public dict links
    cdef public Py_ssize_t link_limit
    cdef public Py_ssize_t answer_limit
    cdef object _send
    cdef list _answers
    cdef bint _has_prio
    cdef bint _is_reading_paused

    @cython.locals(envelope=Envelope)
    cpdef receive(self, object payload)
    @cython.locals(tag=str)
    cpdef take(self, Envelope envelope)
    cpdef end_read(self)
    @cython.locals(host=Loop, cell=Cell, lane=LaneKind)
    cdef _command(self, Envelope envelope)
    cpdef flush(self)
    cpdef fail(self)
    @cython.locals(out=list, ready=list)
    cdef _drain(self, Uplink link, list out)
    @cython.locals(size=Py_ssize_t, at=Py_ssize_t, before=Py_ssize_t, link=Uplink)
    cdef list _drain_all(self, list ready, list out)
    cdef _write(self, list out)
