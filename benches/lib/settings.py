"""What a run of the bench is told: by the command line, and by the environment variables of the Makefile."""
import argparse
import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FULL_SIZE_MIB = 2048


@dataclass
class Settings:
    modelctl: Path
    rows: list
    size_mib: int
    rounds: int
    name: str
    work: Path
    publish: bool

    @property
    def size(self):
        """Bytes of the model."""
        return self.size_mib << 20


def parse(known_rows):
    parser = argparse.ArgumentParser(description="Measures modelctl beside curl and other clients.")
    parser.add_argument("modelctl", type=Path, help="the release binary")
    parser.add_argument("--rows", default="", help=f"some of {','.join(known_rows)}; all if empty")
    arguments = parser.parse_args()
    rows = [row for row in arguments.rows.split(",") if row]
    if unknown := set(rows) - set(known_rows):
        parser.error(f"unknown rows {', '.join(sorted(unknown))}: there are {', '.join(known_rows)}")
    size_mib = int(os.environ.get("BENCH_SIZE_MIB", FULL_SIZE_MIB))
    rounds = int(os.environ.get("BENCH_ROUNDS", 5))
    cache = Path(os.environ.get("MODELCTL_CACHE", ROOT / ".cache"))
    return Settings(
        modelctl=arguments.modelctl.resolve(),
        rows=rows or list(known_rows),
        size_mib=size_mib,
        rounds=rounds,
        name=os.environ.get("BENCH_NAME", ""),
        work=Path(os.environ.get("BENCH_DIR", cache / "bench")),
        # The tables of the documentation show whole runs only.
        publish=not rows and size_mib == FULL_SIZE_MIB and rounds >= 5,
    )
