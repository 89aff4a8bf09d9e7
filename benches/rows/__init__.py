"""The rows by name, in the order in which they run: each takes the bench and gives an Outcome."""
from rows import again, changes, cut, foreign, gate, limits, link, memory, pull, push, verify, version

ROWS = {
    "limits": limits.run,
    "version": version.run,
    "push": push.run,
    "pull": pull.run,
    "foreign": foreign.run,
    "again": again.run,
    "changes": changes.run,
    "gate": gate.run,
    "verify": verify.run,
    "link": link.run,
    "cut": cut.run,
    "memory": memory.run,
}
