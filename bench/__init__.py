"""Speed, as ratios against a stated baseline of the same run. `python -m bench` lists the benchmarks, `make bench` runs
all, `python -m bench.NAME` one."""
