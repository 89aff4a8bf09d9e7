"""The results as a JSON file, and as tables between two marker comments of the documentation."""
import json
from datetime import date

from lib.settings import ROOT

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
RESULTS = ROOT / "benches" / "results"


def write_json(document, folder):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{document['date']}-{document['name']}.json"
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    return path


def document(settings, machine, name, rows):
    return {
        "format": 1,
        "date": date.today().isoformat(),
        "name": name,
        "model_mib": settings.size_mib,
        "rounds": settings.rounds,
        "machine": machine,
        "rows": rows,
    }


def write_tables(document, path):
    """The tables of a run that is not published, beside its JSON."""
    path = path.with_suffix(".md")
    path.write_text(f"{short(document)}\n\n{whole(document, path.with_suffix('.json').name)}\n")


def publish(document, file_name):
    """Puts the tables of a whole run where the documentation shows them."""
    replace(ROOT / "README.md", short(document))
    replace(ROOT / "docs" / "benchmarks.md", whole(document, file_name))


def replace(path, text):
    content = path.read_text()
    head, rest = content.split(BEGIN)
    _, tail = rest.split(END)
    path.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}")


def results(document):
    return [result for row in document["rows"].values() for result in row.get("results", [])]


def verdict(result):
    return {True: "reached", False: "**not reached**", None: ""}[result["ok"]]


def table(header, lines):
    rows = [[cell.replace("|", "\\|") for cell in line] for line in (header, ["---"] * len(header), *lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def promises(document):
    lines = [[r["what"], r["target"], r["reached"], verdict(r)] for r in results(document)]
    return table(["what", "to reach", "measured", ""], lines)


def failures(document):
    return [f"- `{name}` broke off: {row['failed']}" for name, row in document["rows"].items() if "failed" in row]


def clients(contest):
    """One contest as a table, the fastest first; who failed comes last."""
    def figures(entry):
        name, client = entry
        if "failed" in client:
            return [name, f"failed: {client['failed']}", "", "", "", ""]
        columns = [seconds(client["wall_s"]), seconds(client["cpu_s"]), f"{client['peak_rss_mib']:.0f}", f"{client['registry_cpu_s']:.2f}"]
        return [name, *columns, client["note"]]

    entries = sorted(contest["clients"].items(), key=lambda entry: entry[1].get("wall_s", float("inf")))
    return table([contest["title"], "wall s", "CPU s", "peak RSS MiB", "registry CPU s", "note"], map(figures, entries))


def seconds(value):
    """With milliseconds where they are all there is."""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def contests(document, names):
    return [clients(contest) for name in names for contest in document["rows"].get(name, {}).get("contests", [])]


def intro(document):
    machine = document["machine"]
    return (
        f"{document['date']}, {machine['cores']} cores ({', '.join(machine['cpu_flags'])}), {machine['memory_gib']} GiB, kernel {machine['kernel']}; "
        f"a model of {document['model_mib']} MiB; medians of {document['rounds']} interleaved rounds, client and registry on the same machine."
    )


def short(document):
    """For the README: the two transfers that matter most, and what was not reached or not measured."""
    missed = [f"- {r['what']}: {r['reached']}, to reach {r['target']}" for r in results(document) if r["ok"] is False] + failures(document)
    promised = [r for r in results(document) if r["ok"] is not None]
    summary = f"{sum(r['ok'] for r in promised)} of {len(promised)} promised numbers reached: [`docs/benchmarks.md`](docs/benchmarks.md)."
    parts = [intro(document), *contests(document, ["push", "pull"]), summary]
    return "\n\n".join(parts + (["Not reached:", "\n".join(missed)] if missed else []))


def whole(document, file_name):
    programs = ", ".join(f"{name} {version}" for name, version in document["machine"]["programs"].items() if name != "modelctl")
    parts = [
        f"Written by `make bench` from [`benches/results/{file_name}`](../benches/results/{file_name}); do not edit.",
        intro(document), f"Programs: {document['machine']['programs']['modelctl']}; {programs}.",
        promises(document), *contests(document, document["rows"]),
    ]
    return "\n\n".join(parts + (["\n".join(failures(document))] if failures(document) else []))
