"""What the bench says of its figures: `python3 -m unittest discover benches`."""
import json
import re
import threading
import unittest
from types import SimpleNamespace

from lib import report, result
from lib.contest import Contest, in_turns
from lib.links import REQUEST_END, Connection
from lib.measure import Sample, run
from lib.settings import ROOT


def contest(rounds=3):
    bench = SimpleNamespace(rounds=rounds, registry=SimpleNamespace(cpu=0.0), say=lambda _: None)
    return Contest(bench, "push", lambda: None)


class Contests(unittest.TestCase):
    def test_a_rival_that_fails_is_told_of_and_is_not_the_fastest(self):
        turns = contest()
        turns.enter("modelctl", lambda: Sample(wall=2.0))
        turns.enter("quick", lambda: Sample(wall=0.1, exit=1, errors="no | such\nhost"), rival=True)
        turns.enter("slow", lambda: Sample(wall=3.0), rival=True)
        turns.run()
        name, sample = turns.fastest_rival()
        self.assertEqual((name, sample.wall), ("slow (quick failed)", 3.0))
        self.assertIn("| quick | failed: exit 1: no \\| such host |", report.clients(turns.document()))

    def test_without_a_rival_that_finished_nothing_is_reached(self):
        turns = contest()
        turns.enter("quick", lambda: Sample(exit=1), rival=True)
        turns.run()
        name, rival = turns.fastest_rival()
        self.assertIs(result.ratio("push", Sample(wall=1.0), rival, 0.7, name).ok, False)

    def test_nobody_always_follows_the_same(self):
        for count in (2, 3, 6):
            orders = [in_turns(list(range(count)), number) for number in range(4)]
            self.assertTrue(all(sorted(order) == list(range(count)) for order in orders))
            before = {([None] + order)[order.index(0)] for order in orders}
            self.assertGreater(len(before), 1)

    def test_the_median_of_the_rounds_counts(self):
        turns, walls = contest(), iter([9.0, 1.0, 2.0])
        turns.enter("modelctl", lambda: Sample(wall=next(walls)))
        self.assertEqual(turns.run().median("modelctl").wall, 2.0)


class Reports(unittest.TestCase):
    def document(self, *results, **rows):
        machine = {"cores": 2, "cpu_flags": [], "memory_gib": 1, "kernel": "6", "programs": {"modelctl": "modelctl 0"}}
        rows |= {"push": {"results": [part.document() for part in results], "contests": []}}
        return {"date": "2026-01-01", "model_mib": 1, "rounds": 5, "machine": machine, "rows": rows}

    def test_what_is_not_reached_stands_with_its_target(self):
        document = self.document(result.at_most("push", 2.0, 1.5, "s/GB"), result.at_most("pull", None, 48, "MiB"))
        text = report.whole(document, "x.json")
        self.assertIn("| push | ≤ 1.5 s/GB | 2.00 s/GB | **not reached** |", text)
        self.assertIn("| pull | ≤ 48 MiB | not measured | **not reached** |", text)
        self.assertIn("- push: 2.00 s/GB, to reach ≤ 1.5 s/GB", report.short(document))

    def test_a_row_that_broke_off_is_told_of(self):
        document = self.document(result.at_most("push", 1.0, 1.5, "s/GB"), pull={"failed": "no disk"})
        for text in (report.short(document), report.whole(document, "x.json")):
            self.assertIn("- `pull` broke off: no disk", text)

    def test_the_documentation_shows_the_results_that_it_names(self):
        shown = (ROOT / "docs" / "benchmarks.md").read_text()
        name = re.search(r"benches/results/([\w.-]+\.json)", shown).group(1)
        document = json.loads((report.RESULTS / name).read_text())
        self.assertIn(f"{report.BEGIN}\n{report.whole(document, name)}\n{report.END}", shown)
        self.assertIn(f"{report.BEGIN}\n{report.short(document)}\n{report.END}", (ROOT / "README.md").read_text())


class Measuring(unittest.TestCase):
    def test_a_command_that_does_not_end_is_ended_and_says_so(self):
        sample = run(["sleep", "60"], {"PATH": "/usr/bin:/bin"}, time_out=0.2)
        self.assertNotEqual(sample.exit, 0)
        self.assertIn("not done after 0.2 s", sample.complaint)

    def test_a_request_is_counted_once_however_it_is_cut(self):
        stream = b"GET /v2/" + REQUEST_END + b"Host: x\r\n\r\nHEAD /v2/a" + REQUEST_END
        for size in (1, 5, 11, len(stream)):
            proxy = SimpleNamespace(cut_after=None, connections=0, requests=0, lock=threading.Lock())
            connection, before = Connection(proxy, None), b""
            for start in range(0, len(stream), size):
                before = connection.count_requests(before, memoryview(stream[start : start + size]))
            self.assertEqual(proxy.requests, 2)


if __name__ == "__main__":
    unittest.main()
