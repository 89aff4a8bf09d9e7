"""The gate on a remote model: signatures, policy and digests are decided on kilobytes, without a weight."""
from lib.bench import Place
from lib.clients import Signing
from lib.contest import Contest
from lib.links import CountingProxy
from lib.measure import Failed, must
from lib.result import Outcome, at_most, explains

GATE_KIB, RSS_MIB = 256, 48
GATE = "modelctl gate"
POLICY = """version = 1

[[rule]]
repositories = ["*/bench/*"]
smoke-test = "skip"

[rule.signatures]
signers = [{ key = "bench.pub" }]

[rule.model]
formats = ["onnx"]
max-size = "1TiB"
"""


def run(bench):
    client, place = Signing(bench), bench.place("gate")
    bench.registry.wipe()
    client.forget()
    policy = bench.folder("gate") / "policy.toml"
    policy.write_text(POLICY)
    private, _ = client.make_key(bench.folder("gate") / "bench")
    pushed = must(client.call("push", bench.model.path, place.reference, "--sign-key", private, "-q"), "modelctl push")

    def gate(at):
        return client.call("gate", at.reference, "--policy", policy, "-q")

    with CountingProxy(bench.registry.address) as proxy:
        gated = must(gate(Place(proxy.address, place.repository)), GATE)
        moved, requests = proxy.moved, proxy.requests
    if gated.last_line != pushed.last_line:
        raise Failed(f"the gate allows {gated.last_line}, pushed was {pushed.last_line}")

    contest = Contest(bench, "gate of a remote signed model", bench.settle)
    contest.enter(GATE, lambda: gate(place), "no smoke test")
    contest.run()
    ours = contest.median(GATE)
    bytes_moved = at_most("`gate` of a remote signed model, no smoke test, bytes on the wire", moved / 1024, GATE_KIB, "KiB", f"{requests} requests", digits=1)
    results = [bytes_moved, at_most("peak RSS of that `gate`", ours and ours.rss, RSS_MIB, "MiB", digits=1)]
    if ours:
        wall, cpu = 1000 * ours.wall, 1000 * ours.cpu
        results.append(explains("wall and CPU time of that `gate`", f"{wall:.0f} ms, {cpu:.0f} ms of CPU", wall_ms=wall, cpu_ms=cpu))
    return Outcome(results, [contest.document()])
