"""The next version of a model, on three registries: the bytes that move, counted by a proxy and not by the client."""
import shutil

from lib import servers
from lib.bench import Place
from lib.clients import Modelctl
from lib.files import Blob
from lib.links import CountingProxy
from lib.measure import Failed, must
from lib.result import Outcome, Result

LIMIT_PERCENT = 2
REPOSITORY = "bench/versions"
KINDS = {
    "1 % of the bytes changed": ("--changed", 0.01),
    "a layer of 1 % inserted": ("--insert-layer",),
    "its tensors reordered": ("--reorder",),
    "another producer version": ("--producer-version", "2"),
}


def run(bench):
    others = [servers.debian(bench.settings.work / "debian"), servers.embedded(bench.settings.work / "embedded", bench.modelctl)]
    bench.registry.wipe()
    try:
        return Outcome(measure(bench, [bench.registry, *others]))
    finally:
        for server in others:
            server.stop()
            shutil.rmtree(server.storage, ignore_errors=True)
        shutil.rmtree(seed(bench), ignore_errors=True)


def seed(bench):
    """The folder that the version before was pulled to."""
    return bench.settings.work / "seed"


def measure(bench, registries):
    client, results = Modelctl(bench), []
    for registry in registries:
        shutil.rmtree(seed(bench), ignore_errors=True)
        place = Place(registry.address, REPOSITORY)
        must(client.push(bench.model, place), f"modelctl push to {registry.name}")
        must(client.pull(bench.model, place, seed(bench)), f"modelctl pull from {registry.name}")
    for index, (kind, options) in enumerate(KINDS.items()):
        blob = bench.make_model(f"next-{index}", *options)
        for verb, act in (("push", push), ("pull", pull)):
            shares = {registry.name: moved(bench, registry, blob, verb, act) for registry in registries}
            results.append(result(f"{verb} of the next version, {kind}", shares))
        blob.path.unlink()
    return results


def moved(bench, registry, blob, verb, act):
    """Bytes on the wire as a percentage of the model, or what went wrong."""
    bench.settle()
    with CountingProxy(registry.address) as proxy:
        sample = act(bench, blob, Place(proxy.address, REPOSITORY).reference)
        share = sample.complaint if sample.exit else 100 * proxy.moved / blob.size
    bench.say(f"changes: {verb}, {registry.name}: {share if sample.exit else f'{share:.2f} % of the bytes'}, {sample.wall:.2f} s")
    return share


def push(bench, blob, reference):
    client = Modelctl(bench)
    client.forget()
    return client.call("push", blob.path, reference)


def pull(bench, blob, reference):
    client = Modelctl(bench)
    client.forget()
    sample = client.call("pull", reference, "-o", bench.output, "--seed", seed(bench))
    if not sample.exit and Blob(bench.output / "model.onnx").digest != blob.digest:
        raise Failed(f"the model pulled from {reference} differs from the pushed one")
    return sample


def result(what, shares):
    target = f"≤ {LIMIT_PERCENT} % of the bytes"
    failed = {name: share for name, share in shares.items() if isinstance(share, str)}
    reached = ", ".join(f"{'failed' if name in failed else f'{share:.2f} %'} ({name})" for name, share in shares.items())
    ok = not failed and max(shares.values()) <= LIMIT_PERCENT
    return Result(what, target, reached, ok, {"percent": shares, "limit": LIMIT_PERCENT}, error=" ".join(failed.values()))
