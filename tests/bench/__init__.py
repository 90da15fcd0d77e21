"""Benches: figures that a reader of the README can measure again with ``make bench``."""
