"""All short benchmarks, one after another, and the goals with what was reached: `make bench`."""

from __future__ import annotations

from tests.bench import bench_load, bench_stages, bench_unmasking
from tests.bench.report import print_goals, write_goals

if __name__ == "__main__":
    bench_unmasking.main()
    goals = bench_stages.main() + bench_load.main()
    print_goals(goals)
    write_goals("goals", goals)
