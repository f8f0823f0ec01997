"""A plane on several workers: each runs the partitions that it owns, and reaches all others.

=================  ===================================================================================================
``worker``         what a server serves: looks like one host, is a share of many
``keeper``         takes partitions up, hands them over, drops those that were taken away
``place``          what a partition's host is given: its part of the sources, the way of its agents to all others
``gate``, ``leg``  sessions of peers: each message goes to the partition that has its node, wherever that runs
``guest``          sessions that live here for peers of another worker
``trunk``          packs what goes to one worker in one tick
``call``           asks another worker and waits for the answer
``crossing``       commands between partitions, each done once
=================  ===================================================================================================

What a worker does without the others is done by :class:`natant.host.Host`, one for each partition.
"""
