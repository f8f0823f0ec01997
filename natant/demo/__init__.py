"""Planes that come with natant, to look at and to learn from.

They use what any author uses, the public surface of :mod:`natant`, and nothing else.
"""
