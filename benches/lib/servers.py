"""The registries, as processes of their own."""
import os
import shutil
import socket
import subprocess
import time

from lib.measure import Failed, cpu_of

START_SECONDS = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process that listens on a port of this machine, until `stop`."""

    def __init__(self, name, command, port, log, environment=None):
        self.name = name
        self.port = port
        with open(log, "wb") as file:
            self.process = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                env={**os.environ, **(environment or {})}, start_new_session=True,
            )
        self.wait(log)

    def wait(self, log):
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.stop()
        raise Failed(f"{self.name} does not listen: {log.read_text(errors='replace')[-500:]}")

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def cpu(self):
        return cpu_of(self.process.pid)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Registry(Server):
    """A registry that keeps its blobs in a folder."""

    def __init__(self, name, command, port, folder, storage, environment=None):
        self.storage = storage
        super().__init__(name, command, port, folder / "log", environment)

    def wipe(self):
        """Forgets everything, so that every client sends all its bytes. None of these keeps a cache in memory."""
        for entry in self.storage.iterdir() if self.storage.exists() else ():
            shutil.rmtree(entry)


def distribution(folder):
    """CNCF distribution 3, the registry of every timed row."""
    return of_distribution("distribution 3", "registry", folder)


def debian(folder):
    """Debian's docker-registry 2.8, an old one."""
    return of_distribution("docker-registry 2.8", "docker-registry", folder)


def of_distribution(name, program, folder):
    folder.mkdir(parents=True)
    port, storage = free_port(), folder / "data"
    config = folder / "config.yml"
    config.write_text(
        "version: 0.1\n"
        "log: {level: error, accesslog: {disabled: true}}\n"
        "storage:\n"
        "  delete: {enabled: true}\n"
        f"  filesystem: {{rootdirectory: {storage}}}\n"
        f"http: {{addr: 127.0.0.1:{port}}}\n"
    )
    return Registry(name, [program, "serve", config], port, folder, storage, {"OTEL_TRACES_EXPORTER": "none"})


def embedded(folder, modelctl):
    """The registry in modelctl itself. It is not wiped while it runs: its store is its own."""
    folder.mkdir(parents=True)
    port, storage = free_port(), folder / "store"
    command = [modelctl, "registry", "--store", storage, "--listen", f"127.0.0.1:{port}"]
    return Registry("embedded registry", command, port, folder, storage)
