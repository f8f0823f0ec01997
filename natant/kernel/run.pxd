# Types for Cython; the module runs without this file.
cimport cython
from natant.kernel.cell cimport Cell
from natant.kernel.counter cimport Counter
from natant.kernel.lanekind cimport LaneKind
from natant.kernel.turn cimport Turn, Work, command_work, offer, open_turn

cdef class Loop:
    cdef public Counter counter
    cdef public dict agents
    cdef public dict leaving
    cdef public object store
    cdef public object journal
    cdef public object outbox
    cdef public object ids
    cdef public object async_turns
    cdef public Turn running
    cdef public object _runnable
    cdef public long turn_count
    cdef public long tick
    cdef public long generation
    cdef public long mailbox_limit
    cdef public bint is_volatile
    cdef public bint is_halted
    cdef public bint _is_draining

    @cython.locals(work=Work)
    cpdef command(self, Cell cell, LaneKind lane, object body, object command_id=*, object reply=*)
    cpdef deliver(self, Cell cell, Work work)
    cpdef _queue(self, Cell cell, Work work)
    @cython.locals(cell=Cell)
    cpdef Cell activate(self, object kind, str node)
    @cython.locals(turn=Turn, lane=LaneKind)
    cpdef _run(self, Cell cell, Work work)
    @cython.locals(work=Work)
    cpdef finish(self, Turn turn, object value)
    @cython.locals(work=Work)
    cpdef _settle(self, Turn turn)
    @cython.locals(cell=Cell)
    cpdef _commit(self, Turn turn)
    @cython.locals(work=Work, second=Turn)
    cpdef fail(self, Turn turn, object error)
