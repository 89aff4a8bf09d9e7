#!/usr/bin/env bash
# Packs, pushes and pulls a single-file model of 2.5 GiB with the embedded registry, and holds each step to 48 MiB of memory.
#
#   scripts/large.sh path/to/modelctl [MIB]
set -euo pipefail
cd "$(dirname "$0")/.."
modelctl=$(realpath "$1")
size=${2:-2560}
limit_kib=$((48 * 1024))
folder=$(mktemp -d)
export MODELCTL_STORE=$folder/store
registry=
trap '[ -z "$registry" ] || kill $registry 2>/dev/null; rm -rf "$folder"' EXIT

${MODELCTL_TEST_PYTHON:-python3} benches/make_model.py "$size" "$folder/model.onnx"
"$modelctl" registry --store "$folder/registry" --listen 127.0.0.1:0 2>"$folder/registry.log" &
registry=$!
for _ in $(seq 100); do
  address=$(grep -oE '127\.0\.0\.1:[0-9]+' "$folder/registry.log" | head -n 1) && break
  sleep 0.1
done

failed=0
measured() {
  name=$1; shift
  /usr/bin/time -f '%e %U %S %M' -o "$folder/time" "$modelctl" "$@" >"$folder/out"
  read -r wall user system rss <"$folder/time"
  printf '%-28s wall %6s s  user %6s s  system %6s s  rss %6d KiB\n' "$name" "$wall" "$user" "$system" "$rss"
  if [ "$rss" -gt $limit_kib ]; then echo "$name: more than $limit_kib KiB"; failed=1; fi
}

reference=$address/large/model
measured 'pack' pack "$folder/model.onnx" -t "$reference:v1"
measured 'push from the store' push "$reference:v1"
digest=$(tail -n 1 "$folder/out")
measured 'push from the path' push "$folder/model.onnx" "$address/large/other:v1"
test "$digest" = "$(tail -n 1 "$folder/out")"
measured 'push from the path, again' push "$folder/model.onnx" "$address/large/other:v2"
rm -rf "$MODELCTL_STORE"
measured 'pull into a folder' pull "$reference@$digest" -o "$folder/pulled"
cmp "$folder/model.onnx" "$folder/pulled/model.onnx"
measured 'verify the folder' verify "$folder/pulled"
measured 'verify at the registry' verify "$reference@$digest"
measured 'inspect at the registry' inspect "$reference@$digest"
measured 'pull into the store' pull "$reference@$digest"
exit $failed
