"""The deterministic heart: turns, the agent table, commit groups, timers, the outbox.

Nothing here opens a socket or a file or reads a clock: time, randomness and execution come in through
:mod:`natant.kernel.env`, storage through the store contract.  The same code therefore runs under a virtual clock.
"""
