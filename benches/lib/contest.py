"""Several clients do the same, in turns, so that what disturbs the machine disturbs all of them."""
from dataclasses import dataclass, field

from lib.measure import Sample, median

GB = 1e9


@dataclass
class Entrant:
    """A client in one contest, with its samples; the first failure takes it out, and is kept."""

    name: str
    act: object
    note: str = ""
    rival: bool = False
    #: Fewer rounds than the others, for what takes too long.
    rounds: int | None = None
    samples: list = field(default_factory=list)
    failure: str = ""

    @property
    def median(self):
        return median(self.samples)

    def document(self):
        """What the report keeps."""
        if self.failure or not self.samples:
            return {"failed": self.failure or "not run"}
        middle = self.median
        return {
            "wall_s": round(middle.wall, 4),
            "walls_s": [round(sample.wall, 4) for sample in self.samples],
            "cpu_s": round(middle.cpu, 4),
            "peak_rss_mib": round(middle.rss, 1),
            "registry_cpu_s": round(middle.server_cpu, 3),
            "disk_written_bytes": middle.written,
            "note": self.note,
        }


class Contest:
    """Interleaved rounds. `before` is called ahead of every run."""

    def __init__(self, bench, title, before):
        self.bench = bench
        self.title = title
        self.before = before
        self.entrants = {}

    def enter(self, name, act, note="", rival=False, rounds=None):
        self.entrants[name] = Entrant(name, act, note, rival, rounds)

    def run(self):
        for number in range(self.bench.rounds):
            order = list(self.entrants.values())
            # Each begins a round in its turn, so that nobody always follows the same neighbour.
            start = number % len(order)
            for entrant in order[start:] + order[:start]:
                if not entrant.failure and len(entrant.samples) < (entrant.rounds or self.bench.rounds):
                    self.turn(entrant, number)
        return self

    def turn(self, entrant, number):
        self.before()
        registry = self.bench.registry
        used = registry.cpu
        sample = entrant.act()
        sample.server_cpu = registry.cpu - used
        if sample.exit:
            entrant.failure = sample.complaint
            self.bench.say(f"{self.title}: {entrant.name} failed: {entrant.failure}")
            return
        entrant.samples.append(sample)
        self.bench.say(
            f"{self.title}, round {number + 1} of {self.bench.rounds}: {entrant.name:12} {sample.wall:7.3f} s"
            f"  cpu {sample.cpu:6.2f} s  rss {sample.rss:5.1f} MiB  registry cpu {sample.server_cpu:5.2f} s"
        )

    def median(self, name) -> Sample | None:
        entrant = self.entrants.get(name)
        return entrant.median if entrant and entrant.samples and not entrant.failure else None

    def fastest_rival(self):
        """Name and median of the fastest that finished."""
        finished = [(e.name, e.median) for e in self.entrants.values() if e.rival and e.samples and not e.failure]
        return min(finished, key=lambda pair: pair[1].wall, default=None)

    def document(self):
        return {"title": self.title, "clients": {entrant.name: entrant.document() for entrant in self.entrants.values()}}
