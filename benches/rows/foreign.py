"""Push and pull of one huge file that is no ONNX model: a single blob, in the form that oras gives it."""
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
    for client in (ours, curl):
        pushes.enter(client.name, lambda client=client: client.push(blob, bench.place("push")), client.push_note)
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
    return Outcome(
        [
            ratio("push of a single blob, packing included", pushes.median("modelctl"), pushes.median("curl"), PUSH, "curl POST+PUT"),
            ratio("pull of a foreign single blob, verified", pulls.median("modelctl"), pulls.median("curl"), PULL, "curl GET to a file"),
        ],
        [pushes.document(), pulls.document()],
    )
