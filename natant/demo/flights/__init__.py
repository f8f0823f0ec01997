"""The flights that left New York in 2013, replayed: natant's main example.  ``examples/flights/README.md`` explains it."""
