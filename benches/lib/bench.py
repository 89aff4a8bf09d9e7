"""What the rows share: the folders, the model, the registry of the timed rows, and the line that says what goes on."""
import os
import shutil
import time
from dataclasses import dataclass
from functools import cached_property

from lib import files, servers


@dataclass
class Place:
    """A repository of a registry, or of a link to it."""

    address: str
    repository: str

    @property
    def reference(self):
        return f"{self.address}/{self.repository}:v1"


class Bench:
    def __init__(self, settings):
        self.settings = settings
        self.modelctl = settings.modelctl
        self.rounds = settings.rounds
        self.began = time.monotonic()
        shutil.rmtree(settings.work, ignore_errors=True)
        settings.work.mkdir(parents=True)
        self.registry = servers.distribution(settings.work / "registry")

    def close(self):
        self.registry.stop()
        shutil.rmtree(self.settings.work, ignore_errors=True)

    @property
    def environment(self):
        """Nothing of the user's settings: no proxies, credentials or homes."""
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(self.folder("home"))}

    def folder(self, name):
        path = self.settings.work / name
        path.mkdir(exist_ok=True)
        return path

    @cached_property
    def model(self):
        """The ONNX model of the wanted size."""
        return self.make_model("model")

    def make_model(self, name, *options, size_mib=None):
        self.say(f"making {name}.onnx {' '.join(map(str, options))}")
        path = self.settings.work / "models" / name / "model.onnx"
        return files.make_model(path, size_mib or self.settings.size_mib, *options)

    def layout_of(self, blob):
        return self.settings.work / "layouts" / blob.hex

    @property
    def output(self):
        """Where a pull writes; emptied by `settle`."""
        return self.settings.work / "output"

    def settle(self):
        """Before a run: no output of the last one, and the disk has nothing left to write."""
        shutil.rmtree(self.output, ignore_errors=True)
        os.sync()

    def place(self, repository):
        """A repository in the registry of the timed rows."""
        return Place(self.registry.address, f"bench/{repository}")

    def say(self, text):
        print(f"[{time.monotonic() - self.began:6.1f} s] {text}", flush=True)
