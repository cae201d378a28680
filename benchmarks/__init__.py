"""Performance claims, measured side by side in one run on one machine; see `docs/benchmarks.md`."""
