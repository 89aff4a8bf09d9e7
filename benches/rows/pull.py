"""Pull of that model into a folder: verified and durable, beside clients that are not."""
from lib.clients import RIVALS, Curl, Disk, Modelctl, Oras
from lib.contest import GB, Contest
from lib.files import Blob
from lib.measure import Failed, must
from lib.result import Outcome, Result, at_most, ratio

OVER_CURL, OVER_RIVAL, CPU_PER_GB, RSS_MIB, DISK = 0.80, 0.60, 1.0, 48, 1.01


def run(bench):
    blob = bench.model
    bench.registry.wipe()
    whole, split = bench.place("whole"), bench.place("split")
    must(Oras(bench).push(blob, whole), "oras push")
    must(Modelctl(bench).push(blob, split), "modelctl push")

    contest = Contest(bench, "pull", bench.settle)
    for kind in (Modelctl, Curl, Disk, *RIVALS):
        client = kind(bench)
        place = split if kind is Modelctl else whole
        pull = lambda client=client, place=place: complete(client.pull(blob, place, bench.output), bench.output, blob)
        contest.enter(client.name, pull, client.pull_note, kind in RIVALS)
    contest.run()
    check(bench, blob, split)
    return Outcome(results(contest, blob), [contest.document()])


def complete(sample, output, blob):
    """A client that left a file too few did not pull."""
    sizes = [file.stat().st_size for file in output.rglob("*") if file.is_file()]
    if not sample.exit and blob.size not in sizes:
        sample.exit, sample.errors = 1, f"wrote {sorted(sizes)[-3:]}"
    return sample


def check(bench, blob, place):
    """Once, outside the contest: what was pulled is what was pushed."""
    bench.settle()
    must(Modelctl(bench).pull(blob, place, bench.output), "modelctl pull")
    if Blob(bench.output / blob.path.name).digest != blob.digest:
        raise Failed("the pulled file differs from the pushed one")
    bench.settle()


def results(contest, blob):
    ours = contest.median("modelctl")
    name, rival = contest.fastest_rival()
    return [
        ratio("pull of that model, verified and durable", ours, contest.median("curl"), OVER_CURL, "curl GET to a file (unverified)"),
        ratio("the same, beside the fastest rival", ours, rival, OVER_RIVAL, name),
        ratio("the same, beside the disk alone", ours, contest.median("dd"), None, "dd"),
        at_most("client CPU of that pull", ours and ours.cpu / blob.size * GB, CPU_PER_GB, "s/GB"),
        at_most("peak RSS of that pull", ours and ours.rss, RSS_MIB, "MiB", digits=1),
        disk(ours, blob),
    ]


def disk(ours, blob):
    what, target = "disk written by `pull -o DIR`", "1.0 × the model"
    if ours is None or ours.written is None:
        return Result(what, target, "not measured", False)
    value = ours.written / blob.size
    return Result(what, target, f"{value:.3f} × the model", value <= DISK, {"value": value, "limit": DISK})
