#!/usr/bin/env bash
# Runs the OCI distribution conformance suite, with its defaults, against the embedded registry of a modelctl binary.
# Prints `N passed, N failed` and fails unless nothing failed.
#
#   scripts/conformance.sh target/debug/modelctl
set -euo pipefail
modelctl=$(realpath "$1")
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server" || true; }; rm -rf "$folder"' EXIT

# Whatever port is free: the registry says on stderr where it listens.
"$modelctl" registry --store "$folder/store" --listen 127.0.0.1:0 2>"$folder/log" &
server=$!
address=
for _ in $(seq 100); do
  address=$(grep -oE '127\.0\.0\.1:[0-9]+' "$folder/log" | head -n 1) && break
  sleep 0.1
done
[ -n "$address" ] || { echo "the registry did not say where it listens:"; cat "$folder/log"; exit 1; } >&2

cd "$folder"
OCI_REGISTRY=$address OCI_TLS=disabled timeout 300 conformance >report 2>failures || true
count() { awk -v name="$1" '$1 ~ "^" name "[.]+:" { print $NF }' report; }
passed=$(count Pass)
failed=$(($(count FAIL) + $(count Error)))
echo "$passed passed, $failed failed"
# A suite that was hardly run has not passed.
if [ "$failed" != 0 ] || [ "$passed" -lt 800 ]; then
  cat failures >&2
  exit 1
fi
