"""The gate on a remote model: signatures, policy and digests are decided on kilobytes, without a weight."""
from lib.bench import Place
from lib.clients import Modelctl
from lib.links import CountingProxy
from lib.measure import Failed, must
from lib.result import Outcome, at_most

GATE_KIB = 256
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


class Signing(Modelctl):
    """Ours, with a key that has no passphrase."""

    @property
    def environment(self):
        return {**super().environment, "COSIGN_PASSWORD": ""}


def run(bench):
    client, place = Signing(bench), bench.place("gate")
    bench.registry.wipe()
    client.forget()
    folder = bench.folder("gate")
    policy = folder / "policy.toml"
    policy.write_text(POLICY)
    for half in ("bench.key", "bench.pub"):
        (folder / half).unlink(missing_ok=True)
    must(client.call("keygen", "-o", folder / "bench", "-q"), "modelctl keygen")
    pushed = must(client.call("push", bench.model.path, place.reference, "--sign-key", folder / "bench.key", "-q"), "modelctl push")
    with CountingProxy(bench.registry.address) as proxy:
        counted = Place(proxy.address, place.repository)
        gated = must(client.call("gate", counted.reference, "--policy", policy, "-q"), "modelctl gate")
        moved = proxy.moved
    if gated.last_line != pushed.last_line:
        raise Failed(f"the gate allows {gated.last_line}, pushed was {pushed.last_line}")
    note = f"{gated.wall * 1000:.0f} ms"
    return Outcome([at_most("`gate` of a remote signed model, no smoke test, bytes on the wire", moved / 1024, GATE_KIB, "KiB", note, digits=1)])
