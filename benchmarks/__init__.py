"""Measures every claim of the README: `python -m benchmarks NAME`."""
