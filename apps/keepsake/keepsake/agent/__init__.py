"""The web agents: person, stream, capsule, grant, question; and the functions of the work queues."""
