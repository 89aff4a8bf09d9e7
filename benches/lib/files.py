"""The files that are moved."""
import hashlib
import os
import random
import subprocess
from functools import cached_property

from lib.measure import Failed
from lib.settings import ROOT

BLOCK = 1 << 20


class Blob:
    """A file by its path, with size and digest."""

    def __init__(self, path):
        self.path = path

    @cached_property
    def size(self):
        return self.path.stat().st_size

    @cached_property
    def hex(self):
        with open(self.path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @property
    def digest(self):
        return f"sha256:{self.hex}"


def make_model(path, size_mib, *options):
    """An ONNX model by `make_model.py`, run by the Python that has NumPy."""
    path.parent.mkdir(parents=True, exist_ok=True)
    python = os.environ.get("MODELCTL_TEST_PYTHON", "python3")
    made = subprocess.run(
        [python, ROOT / "benches" / "make_model.py", str(size_mib), path, *map(str, options)], stderr=subprocess.PIPE, text=True
    )
    if made.returncode:
        raise Failed(f"make_model.py ended with {made.returncode}: {made.stderr[-500:]}")
    return Blob(path)


def make_random(path, size):
    """A file that is no model that modelctl splits: random bytes."""
    values = random.Random(1)
    with open(path, "wb") as file:
        for start in range(0, size, BLOCK):
            file.write(values.randbytes(min(BLOCK, size - start)))
    return Blob(path)


def split(blob, folder, count):
    """Copies of equal parts of a file."""
    step, parts = -(-blob.size // count), []
    with open(blob.path, "rb") as source:
        for index in range(count):
            path = folder / str(index)
            with open(path, "wb") as part:
                left = step
                while left and (block := source.read(min(BLOCK, left))):
                    part.write(block)
                    left -= len(block)
            parts.append(Blob(path))
    return parts
