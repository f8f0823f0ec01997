"""Measurements with data of the reader's own."""
