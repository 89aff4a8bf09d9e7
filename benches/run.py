#!/usr/bin/env python3
"""Measures modelctl beside curl and other clients, prints every row, and writes the results: see `docs/benchmarks.md`.

    make bench                        every row, as the documentation shows it
    make bench ROWS=push,pull         some rows
    BENCH_SIZE_MIB=64 BENCH_ROUNDS=1  a small model, one round

Needs the programs that `scripts/tools.sh` installs. A number that is not reached is no error of this program; a row that
could not be measured is.
"""
import signal
import subprocess
import sys
import time

from lib import machine, report, settings
from lib.bench import Bench
from lib.measure import Failed
from rows import ROWS


def measure(bench, names):
    """The documents of the rows by name. One that breaks off does not take the others with it."""
    rows = {}
    for name in names:
        bench.say(f"row {name}")
        began = time.monotonic()
        try:
            outcome = ROWS[name](bench)
        except (Failed, OSError, subprocess.SubprocessError) as error:
            rows[name] = {"failed": " ".join(str(error).split())}
            bench.say(f"row {name} broke off: {error}")
            continue
        results = [result.document() for result in outcome.results]
        rows[name] = {"seconds": round(time.monotonic() - began), "results": results, "contests": outcome.contests}
        for result in outcome.results:
            print(f"    {result.what}: {result.reached}{f'  [{result.target}: {verdict(result)}]' if result.target else ''}", flush=True)
    return rows


def verdict(result):
    return "reached" if result.ok else "not reached"


def unmeasured(rows):
    """Names of the rows in which modelctl itself could not be measured."""
    def failed(row):
        if "failed" in row:
            return True
        entries = [entry for contest in row["contests"] for entry in contest["clients"].items()]
        ours = [client for name, client in entries if name.startswith("modelctl")]
        return any("failed" in client for client in ours) or any(result["error"] for result in row["results"])

    return [name for name, row in rows.items() if failed(row)]


def main():
    # Ended by a signal, it still stops the registries and removes its files.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    told = settings.parse(list(ROWS))
    bench = Bench(told)
    try:
        rows = measure(bench, told.rows)
    finally:
        bench.close()
    name = told.name or machine.commit() or "unnamed"
    bench.say("done")
    document = report.document(told, machine.describe(told.modelctl), name, rows)
    path = report.write_json(document, report.RESULTS if told.publish else told.work.parent / "bench-results")
    if told.publish:
        report.publish(document, path.name)
    else:
        report.write_tables(document, path)
    print(f"\n{report.promises(document)}\n\n{path}")
    if broken := unmeasured(rows):
        sys.exit(f"not measured: {', '.join(broken)}")


if __name__ == "__main__":
    main()
