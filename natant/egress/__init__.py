"""What leaves a plane for others to read: lanes shown in buckets.

``feed.py`` keeps account of what a bucket does not show yet, ``show.py`` turns records into entries, ``model.py`` joins both to NATS.
"""
