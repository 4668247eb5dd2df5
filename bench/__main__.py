"""All benchmarks, medians of five runs: `make bench` (about three quarters of an hour)."""

import sys

from bench import door, latency, limits, road, stack, stack_latency, stages, start

sys.argv = sys.argv[:1]
for bench in (limits, door, road, latency, start, stack, stack_latency, stages):
    print(f"\n== {bench.__name__}: {(bench.__doc__ or '').splitlines()[0]}")
    bench.main()
