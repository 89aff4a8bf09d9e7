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
            for entrant in in_turns(list(self.entrants.values()), number):
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
            return self.fail(entrant, sample)
        entrant.samples.append(sample)
        self.bench.say(
            f"{self.title}, round {number + 1} of {self.bench.rounds}: {entrant.name:12} {sample.wall:7.3f} s"
            f"  cpu {sample.cpu:6.2f} s  rss {sample.rss:5.1f} MiB  registry cpu {sample.server_cpu:5.2f} s"
        )

    def outside(self, name, sample):
        """What an entrant does outside the rounds; one that fails is out. True if it did not."""
        if sample.exit:
            self.fail(self.entrants[name], sample)
        return not sample.exit

    def note(self, name, text):
        entrant = self.entrants[name]
        entrant.note = f"{entrant.note}; {text}" if entrant.note else text

    def fail(self, entrant, sample):
        entrant.failure = sample.complaint
        self.bench.say(f"{self.title}: {entrant.name} failed: {entrant.failure}")

    def median(self, name) -> Sample | None:
        entrant = self.entrants.get(name)
        return entrant.median if entrant and entrant.samples and not entrant.failure else None

    def fastest_rival(self):
        """Name and median of the fastest that finished; the name says which did not, so that none is left out in silence."""
        rivals = [entrant for entrant in self.entrants.values() if entrant.rival]
        finished = [entrant for entrant in rivals if entrant.samples and not entrant.failure]
        failed = [entrant.name for entrant in rivals if entrant not in finished]
        note = f" ({', '.join(failed)} failed)" if failed else ""
        if not finished:
            return f"the fastest rival{note}", None
        fastest = min(finished, key=lambda entrant: entrant.median.wall)
        return f"{fastest.name}{note}", fastest.median

    def document(self):
        return {"title": self.title, "clients": {entrant.name: entrant.document() for entrant in self.entrants.values()}}


def in_turns(entrants, number):
    """The order of a round: every other one backwards, and another entrant begins, so that nobody always follows the same."""
    start = number // 2 % len(entrants)
    order = entrants[start:] + entrants[:start]
    return order[::-1] if number % 2 else order
