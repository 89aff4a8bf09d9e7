"""A far link: 50 ms round trip, 50 MB/s a connection, 400 MB/s in all. Half the model of the other rows."""
from lib import files
from lib.bench import Place
from lib.clients import Curl, Modelctl, Oras
from lib.contest import Contest
from lib.links import LINK_KB, SlowLink
from lib.measure import must
from lib.result import Outcome, Result, at_most
from rows.pull import complete

SHARE, RSS_MIB = 0.8, 48
LINK_MB = LINK_KB / 1000
CONNECTIONS = 8


def run(bench):
    blob = bench.make_model("link", size_mib=max(16, bench.settings.size_mib // 2))
    link = SlowLink(bench.folder("link"), bench.registry.address)
    try:
        pulls, pushes = pull(bench, blob, link), push(bench, blob, link)
    finally:
        link.stop()
        bench.registry.wipe()
        blob.path.unlink()
    results = [
        share("pull over a far link, in shards", pulls, "modelctl", blob),
        share("pull of a foreign single blob over it", pulls, "modelctl, one blob", blob),
        share("push over it", pushes, "modelctl", blob),
        memory([pulls.median("modelctl"), pulls.median("modelctl, one blob"), pushes.median("modelctl")]),
        share(f"{CONNECTIONS} ranged curls over it", pulls, f"{CONNECTIONS} ranged curls", blob, promised=False),
        share(f"{CONNECTIONS} curl uploads over it", pushes, f"{CONNECTIONS} curl uploads", blob, promised=False),
        share("oras pull over it (one run)", pulls, "oras", blob, promised=False),
    ]
    return Outcome(results, [pulls.document(), pushes.document()])


def pull(bench, blob, link):
    bench.registry.wipe()
    ours, oras, curl = Modelctl(bench), Oras(bench), Curl(bench)
    must(oras.push(blob, bench.place("whole")), "oras push")
    must(ours.push(blob, bench.place("split")), "modelctl push")
    whole, split = Place(link.address, "bench/whole"), Place(link.address, "bench/split")

    def pulls(client, place):
        return lambda: complete(client.pull(blob, place, bench.output), bench.output, blob)

    contest = Contest(bench, "pull over a far link", bench.settle)
    contest.enter("modelctl", pulls(ours, split), ours.pull_note)
    contest.enter("modelctl, one blob", pulls(ours, whole), ours.pull_note)
    contest.enter(f"{CONNECTIONS} ranged curls", lambda: curl.pull_ranges(blob, whole, bench.output, CONNECTIONS), curl.pull_note)
    # Its one connection takes as long as all of the others together.
    contest.enter("oras", pulls(oras, whole), oras.pull_note, rounds=1)
    return contest.run()


def push(bench, blob, link):
    ours, curl = Modelctl(bench), Curl(bench)
    place = Place(link.address, "bench/push")
    parts = files.split(blob, bench.folder("parts"), CONNECTIONS)

    def before():
        bench.registry.wipe()
        bench.settle()

    contest = Contest(bench, "push over a far link", before)
    contest.enter("modelctl", lambda: ours.push(blob, place), ours.push_note)
    contest.enter(f"{CONNECTIONS} curl uploads", lambda: curl.push_all(parts, place), curl.push_note)
    contest.run()
    for part in parts:
        part.path.unlink()
    return contest


def memory(samples):
    """Many blobs are in flight here: the most memory that a transfer takes."""
    peak = None if None in samples else max(sample.rss for sample in samples)
    return at_most("peak RSS over it", peak, RSS_MIB, "MiB", digits=1)


def share(what, contest, name, blob, promised=True):
    """The part of the link that a client used."""
    target = f"≥ {SHARE:g} × {LINK_MB:.0f} MB/s" if promised else ""
    sample = contest.median(name)
    if sample is None:
        return Result(what, target, "not measured: it failed", False if promised else None)
    rate = blob.size / sample.wall / 1e6
    reached = f"{rate / LINK_MB:.2f} × ({rate:.0f} MB/s, {sample.wall:.2f} s)"
    return Result(what, target, reached, rate >= SHARE * LINK_MB if promised else None, {"mb_per_s": rate, "limit": SHARE})
