"""`verify` of a signed artifact in the store, with the keys of its signers and without: a signature is checked in kilobytes."""
from lib.clients import Signing
from lib.contest import GB, Contest
from lib.measure import Failed, must
from lib.result import Outcome, at_most, explains, ratio

OVER_PLAIN, RSS_MIB = 1.05, 48
PLAIN, WITH_KEY = "modelctl verify", "modelctl verify --key"
#: How `verify` ends when it has verified that nobody whom it trusts has signed.
REFUSED = 5
ARTIFACT = "store:bench/verify:v1"


def run(bench):
    blob, client = bench.model, Signing(bench)
    client.forget()
    private, public = client.make_key(bench.folder("verify") / "bench")
    sign(client, blob, private)

    contest = Contest(bench, "verify of a signed artifact in the store", bench.settle)
    contest.enter(PLAIN, lambda: client.call("verify", ARTIFACT), "every digest; signatures are listed")
    contest.enter(WITH_KEY, lambda: client.call("verify", ARTIFACT, "--key", public), "every digest and both signatures")
    contest.run()
    check(bench, client)
    client.forget()
    return Outcome(results(contest, blob), [contest.document()])


def sign(client, blob, private):
    """In both forms: a layer that signs the files, and beside the artifact one that signs the manifest."""
    must(client.call("pack", blob.path, "-t", ARTIFACT.removeprefix("store:"), "--sign-key", private), "modelctl pack")
    must(client.call("sign", ARTIFACT, "--key", private), "modelctl sign")


def check(bench, client):
    """Once, outside the contest: the key decides."""
    _, other = client.make_key(bench.folder("verify") / "other")
    sample = client.call("verify", ARTIFACT, "--key", other)
    if sample.exit != REFUSED:
        raise Failed(f"`verify` with the key of somebody else ended with {sample.complaint}")


def results(contest, blob):
    plain, ours = contest.median(PLAIN), contest.median(WITH_KEY)
    parts = [
        ratio("`verify --key` of a signed artifact in the store", ours, plain, OVER_PLAIN, "`verify` without"),
        at_most("peak RSS of that `verify --key`", ours and ours.rss, RSS_MIB, "MiB", digits=1),
    ]
    if ours and plain:
        with_key, without = (sample.cpu / blob.size * GB for sample in (ours, plain))
        parts.append(explains("client CPU of that `verify --key`", f"{with_key:.2f} s/GB ({without:.2f} s/GB without)", with_key=with_key, without=without))
    return parts
