"""The machine and the programs, described by what a reader of the figures needs and by nothing that names the machine."""
import os
import platform
import re
import shutil
import subprocess

# The ones that decide how fast hashing and copying are.
FLAGS = {"aes", "avx2", "avx512f", "sha_ni", "vaes", "sha1", "sha2", "asimd"}
NUMBER = r"v?\d+\.\d+(\.\d+)?"
VERSION_ARGUMENTS = {
    "curl": ["--version"],
    "registry": ["--version"],
    "docker-registry": ["--version"],
    "oras": ["version"],
    "crane": ["version"],
    "regctl": ["version", "--format", "{{.VCSTag}}"],
    "skopeo": ["--version"],
    "toxiproxy-server": ["-version"],
}


def describe(modelctl):
    with open("/proc/cpuinfo") as file:
        words = set(re.findall(r"^(?:flags|Features)\s*:(.*)$", file.read(), re.M)[0].split())
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1])
    return {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "cpu_flags": sorted(words & FLAGS),
        "memory_gib": round(memory / 2**20),
        "kernel": platform.release().split("-")[0],
        "programs": {"modelctl": output([modelctl, "--version"])} | {name: version(name) for name in VERSION_ARGUMENTS},
    }


def version(name):
    """What a program calls itself, and the Go that built it: an old one hashes three times slower."""
    path = shutil.which(name)
    if path is None:
        return "not installed"
    build = output(["go", "version", "-m", path]) if shutil.which("go") else ""
    own = re.search(NUMBER, output([path, *VERSION_ARGUMENTS[name]])) or re.search(rf"(?<=\s){NUMBER}", build)
    go = re.search(rf"go{NUMBER}", build)
    return " ".join(part.group() for part in (own, go) if part) or "unknown"


def output(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        return (done.stdout or done.stderr).strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def commit():
    return output(["git", "rev-parse", "--short", "HEAD"])
