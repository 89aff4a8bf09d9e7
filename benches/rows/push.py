"""Push of one ONNX file, packing included, with nothing cached and nothing at the registry."""
from lib.clients import RIVALS, Curl, Modelctl
from lib.contest import GB, Contest
from lib.result import Outcome, Result, at_most, ratio

OVER_CURL, OVER_RIVAL, CPU_PER_GB, RSS_MIB = 0.75, 0.70, 1.5, 48
# What a push may write beside the weights: a lock, remembered digests and sessions.
WRITTEN_SHARE = 0.01


def run(bench):
    blob, place = bench.model, bench.place("push")

    def before():
        bench.registry.wipe()
        bench.settle()

    contest = Contest(bench, "push", before)
    for kind in (Modelctl, Curl, *RIVALS):
        client = kind(bench)
        client.prepare(blob)
        contest.enter(client.name, lambda client=client: client.push(blob, place), client.push_note, kind in RIVALS)
    contest.run()
    bench.registry.wipe()
    return Outcome(results(contest, blob), [contest.document()])


def results(contest, blob):
    ours = contest.median("modelctl")
    name, rival = contest.fastest_rival()
    return [
        ratio("push of one ONNX file, packing included", ours, contest.median("curl"), OVER_CURL, "curl POST+PUT"),
        ratio("the same, beside the fastest rival", ours, rival, OVER_RIVAL, name),
        at_most("client CPU of that push", ours and ours.cpu / blob.size * GB, CPU_PER_GB, "s/GB"),
        at_most("peak RSS of that push", ours and ours.rss, RSS_MIB, "MiB", digits=1),
        disk(ours, blob),
    ]


def disk(ours, blob):
    what, target = "disk written by `push PATH REF`", "no weights"
    if ours is None or ours.written is None:
        return Result(what, target, "not measured", False)
    reached = f"{ours.written / 1e6:.2f} MB of {blob.size / 1e6:.0f} MB"
    return Result(what, target, reached, ours.written <= WRITTEN_SHARE * blob.size, {"value": ours.written})
