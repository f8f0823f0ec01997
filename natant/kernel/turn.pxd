# Types for Cython; the module runs without this file.
cimport cython
from natant.kernel.cell cimport Cell
from natant.kernel.change cimport Event, Watcher
from natant.kernel.lanekind cimport LaneKind

@cython.freelist(64)
cdef class Work:
    cdef public object run
    cdef public LaneKind lane
    cdef public object argument
    cdef public str label
    cdef public object again
    cdef public object reply
    cdef public object command_id
    cdef public object send
    cdef public object settle
    cdef public int attempt

@cython.freelist(64)
cdef class Turn:
    cdef public Cell cell
    cdef public Work work
    cdef list _undo
    cdef list _records
    cdef list _events
    cdef list _instant
    cdef public list sends
    cdef public list after
    cdef public object job
    cdef public object reply
    cdef public object value
    cdef public object error

    cpdef roll_back(self)
    cpdef then(self, object function)
    @cython.locals(cell=Cell)
    cpdef release(self, object sequence)
    cpdef note_undo(self, tuple entry)
    cpdef note_record(self, tuple record)
    cpdef note_event(self, Event event)
    cpdef note_instant(self, Event event)

@cython.locals(turn=Turn)
cpdef Turn open_turn(Cell cell, Work work)

@cython.locals(work=Work)
cpdef Work command_work(LaneKind lane, object body)

@cython.locals(event=Event)
cdef list _committed(list events)

@cython.locals(links=dict, uplinks=list, event=Event, uplink=Watcher)
cpdef offer(Cell cell, list events)

@cython.locals(turn=Turn)
cpdef Turn require_turn(Cell cell, str lane)
