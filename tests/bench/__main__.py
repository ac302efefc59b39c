"""The short benchmarks, one after another, and the goals with what was reached: `make bench`."""

from __future__ import annotations

from tests.bench import bench_classifier, bench_growth, bench_load, bench_peer, bench_stages, bench_unmasking
from tests.bench.report import print_goals, write_goals

if __name__ == "__main__":
    bench_unmasking.main()
    goals = [
        *bench_stages.main(),
        *bench_classifier.main(),
        *bench_load.main(),
        *bench_growth.over_clients(),
        *bench_peer.main(),
    ]
    print_goals(goals)
    write_goals("goals", goals)
