"""Benchmarks: each measures Linli beside a peer or a limit in the same run. `linli bench NAME` runs them."""
