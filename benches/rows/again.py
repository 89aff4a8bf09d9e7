"""The second push of a model that did not change, and a look at a remote one: what need not move does not."""
from lib.bench import Place
from lib.clients import Modelctl
from lib.contest import Contest
from lib.links import CountingProxy
from lib.measure import must
from lib.result import Outcome, at_most

WALL_MS, PUSH_KIB, INSPECT_MIB = 50, 256, 1


def run(bench):
    blob, place = bench.model, bench.place("again")
    client = Modelctl(bench)
    bench.registry.wipe()
    must(client.push(blob, place), "modelctl push")

    second = Contest(bench, "second push", bench.settle)
    second.enter("modelctl", lambda: client.call("push", blob.path, place.reference), "its digest cache is kept")
    second.run()
    with CountingProxy(bench.registry.address) as proxy:
        counted = Place(proxy.address, place.repository)
        # The proxy is another registry by its name, so that one push through it goes uncounted: what this machine
        # remembers of a registry is filed under that name.
        must(client.call("push", blob.path, counted.reference), "modelctl push")
        proxy.reset()
        must(client.call("push", blob.path, counted.reference), "modelctl push")
        pushed = proxy.moved
        proxy.reset()
        must(client.call("inspect", counted.reference), "modelctl inspect")
        inspected = proxy.moved

    ours = second.median("modelctl")
    return Outcome(
        [
            at_most("second push of an unchanged model", ours and 1000 * ours.wall, WALL_MS, "ms", digits=0),
            at_most("bytes on the wire of it", pushed / 1024, PUSH_KIB, "KiB", digits=1),
            at_most("`inspect` of a remote model, bytes on the wire", inspected / 2**20, INSPECT_MIB, "MiB", digits=3),
        ],
        [second.document()],
    )
