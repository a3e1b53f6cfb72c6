"""Measurements with a reference in the same run. `make bench` runs them all; each ends by itself."""
