"""Peak memory, for a small model and one sixteen times as large."""
from lib.clients import Modelctl
from lib.measure import must
from lib.result import Outcome, Result

LIMIT_MIB, GROWTH_MIB = 48, 4
# Parts of the size of the other rows: 256 MiB and 4 GiB of 2 GiB.
SMALL, LARGE = 1 / 8, 2


def run(bench):
    small, large = (max(8, int(bench.settings.size_mib * part)) for part in (SMALL, LARGE))
    peaks = {size: measure(bench, size) for size in (small, large)}
    return Outcome([result(command, peaks[small][command], peaks[large][command], (small, large)) for command in peaks[small]])


def result(command, low, high, sizes):
    reached = f"{low:.1f} MiB for {sizes[0]} MiB, {high:.1f} MiB for {sizes[1]} MiB"
    ok = max(low, high) <= LIMIT_MIB and high - low <= GROWTH_MIB
    figures = {"small_mib": low, "large_mib": high}
    return Result(f"peak RSS of {command}", f"≤ {LIMIT_MIB} MiB, growing by ≤ {GROWTH_MIB} MiB", reached, ok, figures)


def measure(bench, size_mib):
    """Peak RSS in MiB of each command, on a model of that size."""
    blob = bench.make_model(f"memory-{size_mib}", size_mib=size_mib)
    client, place = Modelctl(bench), bench.place("memory")
    bench.registry.wipe()
    client.forget()
    peaks = {}

    def peak(name, sample):
        bench.say(f"memory of {size_mib} MiB: {name:12} {sample.wall:7.3f} s  rss {sample.rss:5.1f} MiB")
        peaks[f"`{name}`"] = must(sample, f"modelctl {name}").rss

    peak("pack", client.call("pack", blob.path, "-t", "memory:v1"))
    peak("push", client.push(blob, place))
    bench.settle()
    peak("pull", client.pull(blob, place, bench.output))
    peak("verify", client.call("verify", bench.output))
    blob.path.unlink()
    bench.registry.wipe()
    bench.settle()
    return peaks
