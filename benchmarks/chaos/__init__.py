"""Guarantees under faults, measured: one module for each, run by `python -m benchmarks.chaos NAME`."""
