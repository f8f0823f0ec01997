"""The command line ``natant``: one command a file in :mod:`natant.cli.command`, put together in :mod:`natant.cli.main`.

Data goes to stdout, talk to stderr.  Modules are imported when a command needs them, so that ``natant`` starts fast.
"""
