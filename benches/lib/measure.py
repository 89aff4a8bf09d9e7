"""Runs one program and says what it cost.

Wall time from start to exit; CPU from the kernel's account of the process and its children; peak memory through
/usr/bin/time, since a process started from here would begin with the memory of this interpreter.
"""
import os
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass

TIME = "/usr/bin/time"
TIME_OUT = 600


@dataclass
class Sample:
    """Cost of one run: seconds, MiB, and bytes that it made dirty on disk (None where the kernel does not count them)."""

    wall: float = 0.0
    cpu: float = 0.0
    rss: float = 0.0
    written: int | None = 0
    server_cpu: float = 0.0
    exit: int = 0
    output: str = ""
    errors: str = ""

    def __add__(self, other):
        """Two runs one after the other as one."""
        written = None if None in (self.written, other.written) else self.written + other.written
        return Sample(
            self.wall + other.wall, self.cpu + other.cpu, max(self.rss, other.rss), written,
            self.server_cpu + other.server_cpu, self.exit or other.exit, other.output, self.errors + other.errors,
        )

    @property
    def complaint(self):
        """How it ended and what it said, on one line."""
        return f"exit {self.exit}: {' '.join(self.errors.split())[-300:]}"

    @property
    def last_line(self):
        lines = self.output.strip().splitlines()
        return lines[-1] if lines else ""


class Failed(Exception):
    """A program without which a row cannot be measured ended with an error."""


def run(command, environment, folder=None, time_out=TIME_OUT):
    """Runs a command to its end, or ends it when the time is out."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors, tempfile.NamedTemporaryFile() as memory:
        begin = time.perf_counter()
        child = subprocess.Popen(
            [TIME, "-q", "-o", memory.name, "-f", "%M", *map(str, command)],
            stdin=subprocess.DEVNULL, stdout=out, stderr=errors, env=environment, cwd=folder, start_new_session=True,
        )
        late = threading.Event()

        def end():
            late.set()
            os.killpg(child.pid, signal.SIGKILL)

        timer = threading.Timer(time_out, end)
        timer.start()
        try:
            # The process stays a zombie for a moment, so that its accounts can still be read.
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
            wall = time.perf_counter() - begin
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise
        finally:
            timer.cancel()
        written = bytes_written(child.pid)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        rss = memory.read().split()
        return Sample(
            wall, usage.ru_utime + usage.ru_stime, int(rss[-1]) / 1024 if rss else 0.0, written,
            exit=child.returncode, output=text(out), errors=f"not done after {time_out} s " * late.is_set() + text(errors),
        )


def must(sample, what):
    """The sample of a run that the row cannot do without."""
    if sample.exit:
        raise Failed(f"{what} failed: {sample.complaint}")
    return sample


def bytes_written(process):
    try:
        with open(f"/proc/{process}/io") as file:
            accounts = dict(line.split(": ") for line in file.read().splitlines())
        return int(accounts["write_bytes"])
    except (OSError, KeyError, ValueError):
        return None


def cpu_of(process):
    """CPU seconds that a running process has used so far."""
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def text(file):
    file.seek(0)
    return file.read().decode(errors="replace")


def median(samples):
    """The median of each figure."""
    def middle(name):
        values = [getattr(sample, name) for sample in samples]
        return None if None in values else statistics.median(values)

    return Sample(**{name: middle(name) for name in ("wall", "cpu", "rss", "written", "server_cpu")})
