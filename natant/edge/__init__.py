"""Edges: planes that work offline beside a NATS leaf node, keep what is meant for their hub, and pass it on when they can.

::

    agents of the edge --turn--> outbox --Keeper--> stream EDGE --Forwarder--> stream AGG --Ingest--> agents of the hub
                                                      (edge)        cable        (hub)

Each arrow is fenced by the sequence of what went over it last, and the last one is journaled with the effects, so each command is done at the
hub once and in its order whatever is cut or killed.
"""
