"""All benchmarks, medians of five runs: `make bench` (about half an hour)."""

import sys

from bench import door, latency, limits, road, start

sys.argv = sys.argv[:1]
for bench in (limits, door, road, latency, start):
    print(f"\n== {bench.__name__}: {(bench.__doc__ or '').splitlines()[0]}")
    bench.main()
