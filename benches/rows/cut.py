"""A link on which every connection is cut after 20 MB: the transfer completes, and little moves twice."""
from lib.bench import Place
from lib.clients import Modelctl
from lib.files import Blob
from lib.links import CountingProxy
from lib.measure import Failed, must
from lib.result import Outcome, Result

CUT_AFTER = 20_000_000
# What a connection may have had in its hands when it was cut, and moves again: the longest chunk of an upload, and of a
# download what lay in its buffers.
CHUNK_MIB = {"push": 16, "pull": 1}


def run(bench):
    blob, client = bench.model, Modelctl(bench)
    bench.registry.wipe()
    push = measure(bench, "push", blob, lambda place: client.push(blob, place))
    bench.registry.wipe()
    must(client.push(blob, bench.place("cut-source")), "modelctl push")
    pull = measure(bench, "pull", blob, lambda place: client.pull(blob, Place(place.address, "bench/cut-source"), bench.output))
    if not pull.error and Blob(bench.output / "model.onnx").digest != blob.digest:
        raise Failed("the pulled model differs from the pushed one")
    bench.settle()
    bench.registry.wipe()
    return Outcome([push, pull])


def measure(bench, verb, blob, act):
    """The same transfer through a proxy that cuts and one that does not: the difference moved twice."""
    what = f"{verb}, each connection cut after 20 MB"
    target = f"completes; ≤ {CHUNK_MIB[verb]} MiB a cut moved twice"
    moved, cuts = [], 0
    for cut_after in (None, CUT_AFTER):
        bench.settle()
        with CountingProxy(bench.registry.address, cut_after) as proxy:
            sample = act(Place(proxy.address, f"bench/cut-{cut_after or 0}"))
            moved.append(proxy.moved)
            cuts = proxy.cuts
        if sample.exit:
            return Result(what, target, f"failed after {cuts} cuts: {sample.complaint}", False, error=sample.complaint)
        if cut_after is None and verb == "push":
            bench.registry.wipe()
    twice = max(0, moved[1] - moved[0])
    bench.say(f"cut: {verb}: {cuts} cuts, {twice / 1e6:.2f} MB moved twice, {sample.wall:.2f} s")
    reached = f"completed in {sample.wall:.1f} s; {twice / 1e6:.2f} MB moved twice in {cuts} cuts"
    return Result(what, target, reached, twice <= max(1, cuts) * (CHUNK_MIB[verb] << 20), {"moved_twice_bytes": twice, "cuts": cuts, "size": blob.size})
