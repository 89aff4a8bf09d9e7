"""The programs that move a model: modelctl, curl and its rivals. Each knows how it pushes a file and how it pulls it."""
import shlex
import shutil

from lib.layout import write_layout
from lib.measure import must, run

FILE_TYPE = "application/octet-stream"
ARTIFACT_TYPE = "application/vnd.example.model"


class Client:
    """A program with its home folder. `push` and `pull` return a sample; what they need before is made in `prepare`."""

    name = ""
    #: What its time leaves out or takes in, for the report.
    push_note = pull_note = ""
    #: What it knows of an earlier push when it pushes the same once more.
    again_note = ""

    def __init__(self, bench):
        self.bench = bench
        self.home = bench.folder(f"home-{self.name.split()[0]}")

    @property
    def environment(self):
        return {**self.bench.environment, "HOME": str(self.home)}

    def run(self, *command, folder=None):
        return run(command, self.environment, folder)

    def prepare(self, blob):
        """Makes what the client's push of this file starts from."""

    def push(self, blob, place):
        raise NotImplementedError

    def push_again(self, blob, place):
        """The push of what was pushed before."""
        return self.push(blob, place)

    def pull(self, blob, place, into):
        raise NotImplementedError


class Curl(Client):
    """The yardstick: the bytes of the file in one request, with nothing packed and nothing verified."""

    name = "curl"
    push_note = "knows the digest before"
    pull_note = "verifies nothing, does not wait for the disk"

    def start_upload(self, blob, place):
        """The sample of the POST, and the URL that the PUT goes to."""
        url = f"http://{place.address}/v2/{place.repository}/blobs/uploads/"
        start = self.run("curl", "-sSf", "-X", "POST", "-o", "/dev/null", "-w", "%header{location}\n", url)
        location = start.last_line
        return start, f"{location}{'&' if '?' in location else '?'}digest={blob.digest}"

    def push(self, blob, place):
        start, location = self.start_upload(blob, place)
        if start.exit:
            return start
        put = self.run("curl", "-sSf", "-o", "/dev/null", "-H", f"Content-Type: {FILE_TYPE}", "-T", blob.path, location)
        return start + put

    def pull(self, blob, place, into):
        url = f"http://{place.address}/v2/{place.repository}/blobs/{blob.digest}"
        into.mkdir()
        return self.run("curl", "-sSf", "-o", into / "file", url)

    def pull_ranges(self, blob, place, into, count):
        """Several curls at once, each with its range of the blob."""
        url = f"http://{place.address}/v2/{place.repository}/blobs/{blob.digest}"
        into.mkdir()
        step = -(-blob.size // count)
        ranges = [f"{start}-{min(start + step, blob.size) - 1}" for start in range(0, blob.size, step)]
        return self.together('curl -sSf -r "$2" -o "$1/$2" "$3"', [(into, part, url) for part in ranges])

    def push_all(self, blobs, place):
        """Several curls at once, each with its own blob."""
        url = f"http://{place.address}/v2/{place.repository}/blobs/uploads/"
        script = (
            f'location=$(curl -sSf -X POST -o /dev/null -w "%header{{location}}" "$3") && '
            f'curl -sSf -o /dev/null -H "Content-Type: {FILE_TYPE}" -T "$1" "$location&digest=$2"'
        )
        return self.together(script, [(blob.path, blob.digest, url) for blob in blobs])

    def together(self, script, arguments):
        """Runs a shell script side by side with each tuple of arguments; one that fails makes all fail."""
        jobs = [f"({shlex.join(['sh', '-c', script, 'sh', *map(str, row)])}) & p{index}=$!" for index, row in enumerate(arguments)]
        waits = " && ".join(f"wait $p{index}" for index in range(len(jobs)))
        return self.run("sh", "-c", "\n".join([*jobs, waits]))


class Modelctl(Client):
    """Ours. Each push and pull starts with no store, no cache and no remembered sessions unless the home is kept."""

    name = "modelctl"
    push_note = "packs"
    again_note = "its digest cache is kept"
    pull_note = "verifies; the files are on disk when it ends"

    @property
    def environment(self):
        home = self.home
        return {
            **self.bench.environment, "HOME": str(home), "MODELCTL_STORE": str(home / "store"),
            "XDG_CACHE_HOME": str(home / "cache"), "XDG_STATE_HOME": str(home / "state"),
            "XDG_CONFIG_HOME": str(home / "config"),
        }

    def forget(self):
        shutil.rmtree(self.home)
        self.home.mkdir()

    def call(self, *arguments):
        return self.run(self.bench.modelctl, *arguments)

    def push(self, blob, place):
        self.forget()
        return self.push_again(blob, place)

    def push_again(self, blob, place):
        return self.call("push", blob.path, place.reference)

    def copy(self, blob, place):
        """Pushes what another tool made of the file: a layout, in which its digest stands."""
        write_layout(self.bench.layout_of(blob), blob)
        self.forget()
        return self.call("cp", f"oci:{self.bench.layout_of(blob)}:v1", place.reference)

    def pull(self, blob, place, into):
        self.forget()
        return self.call("pull", place.reference, "-o", into)


class Signing(Modelctl):
    """Ours, with keys that have no passphrase."""

    @property
    def environment(self):
        return {**super().environment, "COSIGN_PASSWORD": ""}

    def make_key(self, path):
        """Paths of a new pair, the private one first."""
        pair = [path.with_suffix(f".{half}") for half in ("key", "pub")]
        for half in pair:
            half.unlink(missing_ok=True)
        must(self.call("keygen", "-o", path, "-q"), "modelctl keygen")
        return pair


class Oras(Client):
    name = "oras"

    def push(self, blob, place):
        file = f"{blob.path.name}:{FILE_TYPE}"
        return self.run("oras", "push", "--no-tty", "--plain-http", place.reference, file, folder=blob.path.parent)

    def pull(self, blob, place, into):
        return self.run("oras", "pull", "--no-tty", "--plain-http", "-o", into, place.reference)


class Crane(Client):
    name = "crane"
    push_note = again_note = "a layout made before"
    pull_note = "to a layout"

    def prepare(self, blob):
        write_layout(self.bench.layout_of(blob), blob)

    def push(self, blob, place):
        return self.run("crane", "push", self.bench.layout_of(blob), place.reference)

    def pull(self, blob, place, into):
        return self.run("crane", "pull", "--format=oci", place.reference, into)


class Regctl(Client):
    name = "regctl"

    def allow_http(self, address):
        must(self.run("regctl", "registry", "set", "--tls", "disabled", "--skip-check", address), "regctl registry set")

    def push(self, blob, place):
        self.allow_http(place.address)
        options = ["--artifact-type", ARTIFACT_TYPE, "--file-title", "--strip-dirs", "-m", FILE_TYPE]
        return self.run("regctl", "artifact", "put", *options, "-f", blob.path, place.reference)

    def pull(self, blob, place, into):
        self.allow_http(place.address)
        into.mkdir()
        return self.run("regctl", "artifact", "get", place.reference, "-o", into)


class Skopeo(Client):
    name = "skopeo"
    push_note = again_note = "Debian's; a layout made before"
    pull_note = "Debian's; to a layout"

    prepare = Crane.prepare

    def copy(self, source, target):
        options = ["--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false"]
        return self.run("skopeo", "--insecure-policy", "copy", "-q", *options, source, target)

    def push(self, blob, place):
        return self.copy(f"oci:{self.bench.layout_of(blob)}:v1", f"docker://{place.reference}")

    def pull(self, blob, place, into):
        return self.copy(f"docker://{place.reference}", f"oci:{into}:v1")


class Disk(Client):
    """No transfer at all: the file is written past the page cache, as fast as the disk takes it. Nothing durable is faster."""

    name = "dd"
    pull_note = "no transfer: the disk alone, past the page cache"

    def pull(self, blob, place, into):
        into.mkdir()
        options = ["bs=4M", "oflag=direct", "conv=fsync", "status=none"]
        return self.run("dd", f"if={blob.path}", f"of={into / 'file'}", *options)


RIVALS = (Oras, Crane, Regctl, Skopeo)
