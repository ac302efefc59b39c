"""All benchmarks, one after another: `make bench`."""

from __future__ import annotations

from tests.bench import bench_round_trip, bench_stages, bench_unmasking

if __name__ == "__main__":
    for benchmark in (bench_unmasking, bench_stages, bench_round_trip):
        benchmark.main()
