"""Speed, as ratios against a stated baseline of the same run: `make bench`, or one by `python -m bench.NAME`."""
