"""The second push of a model that did not change, and a look at a remote one: what need not move does not."""
import time

from lib.bench import Place
from lib.clients import RIVALS, Modelctl
from lib.contest import Contest
from lib.links import CountingProxy
from lib.measure import must
from lib.result import Outcome, at_most, explains, ratio

WALL_MS, PUSH_KIB, INSPECT_MIB = 50, 256, 1
#: modelctl remembers no digest of a file that has just changed, since it could change again at the same time.
SETTLED_SECONDS = 4


def run(bench):
    blob = bench.model
    clients = [kind(bench) for kind in (Modelctl, *RIVALS)]
    bench.registry.wipe()
    # All of them before the first push: the hard links of a layout change the file in the eyes of a digest cache.
    for client in clients:
        client.prepare(blob)
    time.sleep(max(0, blob.path.stat().st_ctime + SETTLED_SECONDS - time.time()))
    second = contest(bench, blob, clients)
    with CountingProxy(bench.registry.address) as proxy:
        counts = {client.name: count(second, client, blob, proxy) for client in clients}
        inspected = inspect(clients[0], proxy)

    pushed, wire = counts["modelctl"]
    ours = second.median("modelctl")
    name, rival = second.fastest_rival()
    results = [
        at_most("second push of an unchanged model", ours and 1000 * ours.wall, WALL_MS, "ms", digits=0),
        ratio("the same, beside the fastest rival", ours, rival, None, name),
        at_most("bytes on the wire of that second push", pushed and pushed / 1024, PUSH_KIB, "KiB", wire, digits=1),
        at_most("`inspect` of a remote model, bytes on the wire", inspected / 2**20, INSPECT_MIB, "MiB", digits=3),
    ]
    if ours:
        results.insert(2, explains("client CPU of that second push", f"{1000 * ours.cpu:.0f} ms", cpu_ms=1000 * ours.cpu))
    return Outcome(results, [second.document()])


def place_of(client, address):
    """Each has a repository of its own, so that each pushes what it has pushed itself."""
    return Place(address, f"bench/again-{client.name}")


def contest(bench, blob, clients):
    """Everyone pushes once; then the second pushes take turns."""
    second = Contest(bench, "second push", bench.settle)
    for client in clients:
        place = place_of(client, bench.registry.address)
        second.enter(client.name, lambda client=client, place=place: client.push_again(blob, place), client.again_note, client in clients[1:])
        second.outside(client.name, client.push(blob, place))
    return second.run()


def count(second, client, blob, proxy):
    """Bytes of one more push, and the number of its requests as the tables tell it; no bytes of one that failed."""
    if second.median(client.name) is None:
        return None, "it failed"
    place = place_of(client, proxy.address)
    # The proxy is another registry by its name, so that one push through it goes uncounted: what this machine
    # remembers of a registry is filed under that name.
    for _ in range(2):
        proxy.reset()
        if not second.outside(client.name, client.push_again(blob, place)):
            return None, "it failed"
    requests = f"{proxy.requests} requests"
    second.note(client.name, f"{requests}, {proxy.moved / 1024:.1f} KiB")
    return proxy.moved, requests


def inspect(client, proxy):
    """Bytes that a look at the model moves."""
    proxy.reset()
    must(client.call("inspect", place_of(client, proxy.address).reference), "modelctl inspect")
    return proxy.moved
