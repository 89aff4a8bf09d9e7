"""Push and pull of an artifact that another tool made of one huge file: a single blob, whose digest is known from its manifest.

Beside it, what packing such a file takes: its digest must be known before the first byte is sent.
"""
import shutil

from lib.clients import Curl, Modelctl, Oras
from lib.contest import Contest
from lib.files import make_random
from lib.measure import must
from lib.result import Outcome, ratio
from rows.pull import complete

PUSH, PULL = 1.05, 1.0


def run(bench):
    bench.say("making weights.bin")
    blob = make_random(bench.folder("weights") / "weights.bin", bench.settings.size)
    ours, curl = Modelctl(bench), Curl(bench)

    def before():
        bench.registry.wipe()
        bench.settle()

    pushes = Contest(bench, "push of a single blob", before)
    place = bench.place("push")
    pushes.enter("modelctl", lambda: ours.copy(blob, place), "cp of a layout, hashed on the way")
    pushes.enter("modelctl, packing", lambda: ours.push(blob, place), "hashes first, then sends")
    pushes.enter("curl", lambda: curl.push(blob, place), curl.push_note)
    pushes.run()

    bench.registry.wipe()
    place = bench.place("whole")
    must(Oras(bench).push(blob, place), "oras push")
    pulls = Contest(bench, "pull of a single blob", bench.settle)
    for client in (ours, curl):
        pull = lambda client=client: complete(client.pull(blob, place, bench.output), bench.output, blob)
        pulls.enter(client.name, pull, client.pull_note)
    pulls.run()

    blob.path.unlink()
    shutil.rmtree(bench.layout_of(blob), ignore_errors=True)
    sent = pushes.median("curl")
    return Outcome(
        [
            ratio("push of a foreign single blob, verified", pushes.median("modelctl"), sent, PUSH, "curl POST+PUT"),
            ratio("push of a single file, packing included", pushes.median("modelctl, packing"), sent, None, "curl POST+PUT"),
            ratio("pull of a foreign single blob, verified", pulls.median("modelctl"), pulls.median("curl"), PULL, "curl GET to a file"),
        ],
        [pushes.document(), pulls.document()],
    )
