"""Benchmarks, compared with the database alone. See `make bench`."""
