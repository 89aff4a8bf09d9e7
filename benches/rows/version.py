"""How long the program takes to start."""
import statistics
import subprocess
import time

from lib.result import Outcome, at_most

LIMIT_MS, RUNS = 10, 20


def run(bench):
    walls = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        subprocess.run([bench.modelctl, "--version"], stdout=subprocess.DEVNULL, check=True)
        walls.append(1000 * (time.perf_counter() - begin))
    return Outcome([at_most("`modelctl --version`", statistics.median(walls), LIMIT_MS, "ms", digits=1)])
