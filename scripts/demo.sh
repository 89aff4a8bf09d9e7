#!/usr/bin/env bash
# Shows the main path with the example model: pack with a recorded smoke test, push, pull by digest, verify, run.
#
#   scripts/demo.sh path/to/modelctl
set -euo pipefail
cd "$(dirname "$0")/.."
modelctl=$(realpath "${1:-target/release/modelctl}")
folder=$(mktemp -d)
export MODELCTL_STORE=$folder/store
"$modelctl" registry --store "$folder/registry" --listen 127.0.0.1:0 2>"$folder/registry.log" &
registry=$!
trap 'kill $registry 2>/dev/null; rm -rf "$folder"' EXIT

step() {
  printf '\n$ modelctl %s\n' "$*"
  "$modelctl" "$@"
}

for _ in $(seq 100); do
  address=$(grep -oE '127\.0\.0\.1:[0-9]+' "$folder/registry.log" | head -n 1) && break
  sleep 0.1
done
reference=$address/demo/mlp

step pack examples/mlp -t "$reference:v1" --record 1
step push "$reference:v1" | tee "$folder/digest"
digest=$(tail -n 1 "$folder/digest")
step inspect "$reference@$digest"
step pull "$reference@$digest" -o "$folder/mlp"
step verify "$folder/mlp"
step run "$folder/mlp"
cmp examples/mlp/model.onnx "$folder/mlp/model.onnx"
printf '\nmodel.onnx came back bit for bit, pinned by %s\n' "$digest"
