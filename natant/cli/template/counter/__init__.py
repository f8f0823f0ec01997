"""Counters that anyone can add to, and a page that shows one: the smallest plane."""
