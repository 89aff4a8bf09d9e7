"""One number: what was to be reached, and what was."""
from dataclasses import asdict, dataclass, field


@dataclass
class Result:
    """`ok` is None where nothing was promised: a row that explains others."""

    what: str
    target: str
    reached: str
    ok: bool | None
    figures: dict = field(default_factory=dict)
    #: Why modelctl could not be measured.
    error: str = ""

    def document(self):
        return asdict(self)


@dataclass
class Outcome:
    """What a row gives: its numbers, and the table of the clients where there are several."""

    results: list
    contests: list = field(default_factory=list)


def at_most(what, value, limit, unit, note="", digits=2):
    """A figure that must not pass a limit; a figure that could not be had is one that was not reached."""
    target = f"≤ {limit:g} {unit}"
    if value is None:
        return Result(what, target, f"not measured{f': {note}' if note else ''}", False)
    reached = f"{value:.{digits}f} {unit}{f' ({note})' if note else ''}"
    return Result(what, target, reached, value <= limit, {"value": value, "limit": limit})


def explains(what, reached, **figures):
    """A figure of which nothing is promised, beside those of which something is."""
    return Result(what, "", reached, None, figures)


def ratio(what, ours, theirs, limit, name):
    """Our wall time over another's; nothing is promised where the limit is None."""
    target = f"≤ {limit:.2f} × {name}" if limit else ""
    if ours is None or theirs is None:
        return Result(what, target, "not measured: one of them failed", False if limit else None)
    value = ours.wall / theirs.wall
    walls = [f"{sample.wall:.2f} s" if sample.wall >= 1 else f"{1000 * sample.wall:.0f} ms" for sample in (ours, theirs)]
    reached = f"{value:.2f} × ({' against '.join(walls)})"
    return Result(what, target, reached, value <= limit if limit else None, {"value": value, "limit": limit})
