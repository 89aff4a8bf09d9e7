# One door: CI runs `make ci`, which is the recipes below, one after the other.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: demo test ci fmt lint deny doc schema interop conformance judges large fuzz bench bench-smoke soak soak-short

# How many commands `make soak` kills, and for how long eight of them use one store.
SOAK_ROUNDS ?= 300
SOAK_SECONDS ?= 60
# How long each fuzz target runs, in seconds.
FUZZ_SECONDS ?= 20
# Which rows `make bench` measures, such as push,pull; all if empty.
ROWS ?=
# Installs what a recipe needs and puts it on PATH.
tools = tools="$$(scripts/tools.sh $(1))"; eval "$$tools"

# Packs the example with a recorded smoke test, pushes it to the embedded registry, pulls it by digest, verifies and runs it.
demo:
	$(call tools,python); cargo build --release --locked; scripts/demo.sh target/release/modelctl

# The suite that needs no other program than ONNX Runtime: unit, integration and documentation tests, and the examples.
test:
	$(call tools,python); cargo test --locked
	$(call tools,python); for example in examples/*.rs; do cargo run --quiet --locked --example $$(basename $$example .rs); done

# What CI runs.
ci: fmt lint deny doc test interop conformance judges large fuzz bench-smoke soak-short demo

# rustfmt has nothing to change.
fmt:
	cargo fmt --check

# clippy finds nothing.
lint:
	cargo clippy --locked --all-targets -- -D warnings

# Dependencies have the licences, sources and neighbours that deny.toml allows; advisories would need a database from elsewhere.
deny:
	$(call tools,deny); cargo deny --locked check bans licenses sources

# The documentation builds, private items included, without a broken link.
doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items

# Writes the generated files again: the JSON Schema and the command-line reference. Look at the diff.
schema:
	MODELCTL_BLESS=1 cargo test --locked --test it -- schema generated_schema cli::reference::

# The tests that need other programs: real registries and clients, other signers, ONNX Runtime, strace. One needs a file system that
# shares extents, in MODELCTL_TEST_REFLINK, and is left out.
interop:
	$(call tools,python go apt signing); cargo test --locked -- --ignored --skip conformance --skip share_extents --skip soak::

# The OCI distribution conformance suite against the embedded registry, with its defaults and with every optional part.
conformance:
	$(call tools,go); cargo build --locked; scripts/conformance.sh target/debug/modelctl
	$(call tools,go); cargo test --locked --test it -- --ignored conformance

# Python's onnx and onnxruntime judge the split models and the recorded outputs.
judges:
	$(call tools,python); cargo build --release --locked; for judge in tests/judges/*.py; do $$MODELCTL_TEST_PYTHON $$judge target/release/modelctl; done

# A single-file model of 2.5 GiB: pack, push, pull, each within 48 MiB of memory.
large:
	$(call tools,python apt); cargo build --release --locked; scripts/large.sh target/release/modelctl

# Each fuzz target for $(FUZZ_SECONDS) seconds, from the seeds that are there for its kind of file (the word before `_`).
fuzz:
	$(call tools,fuzz); for target in $$(cargo fuzz list); do corpora="fuzz/corpus/$$target fuzz/seeds/$${target%%_*}"; mkdir -p $$corpora; cargo fuzz run -s none $$target $$corpora -- -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=1024; done

# Every promised number, beside curl and other clients, on a model of 2 GiB: less than twenty minutes on a machine that does
# nothing else, after the build, and 20 GiB of disk. Writes benches/results and the tables of README.md and docs/benchmarks.md; with ROWS it only prints.
bench:
	$(call tools,python go apt); cargo build --release --locked; python3 benches/run.py --rows "$(ROWS)" target/release/modelctl

# The same rows on a small model, once: the figures mean nothing, but the bench still works, and says what it should of them.
bench-smoke:
	python3 -m unittest discover benches
	$(call tools,python go apt); cargo build --release --locked; BENCH_SIZE_MIB=16 BENCH_ROUNDS=1 python3 benches/run.py target/release/modelctl

# Commands killed at random moments, and eight at a time in one store: nothing is ever wrong, and hardly a byte moves twice.
# Prints its seed; SOAK_SEED=… repeats a run.
soak:
	$(call tools,go); SOAK_ROUNDS=$(SOAK_ROUNDS) SOAK_SECONDS=$(SOAK_SECONDS) cargo test --locked --test it -- --ignored --nocapture --test-threads=1 soak::

# The same in about a minute, from a fixed seed.
soak-short:
	$(MAKE) soak SOAK_ROUNDS=30 SOAK_SECONDS=10 SOAK_SEED=4
