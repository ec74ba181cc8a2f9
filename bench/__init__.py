"""Benchmarks: what the warehouse does at size, against known answers."""
