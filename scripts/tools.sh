#!/usr/bin/env bash
# Installs, by package name, the programs that tests and demo need, and prints the environment that finds them.
#
#   eval "$(scripts/tools.sh python go apt signing fuzz deny)"     any of the six groups
#
# What is on PATH already in the wanted version is used as it is. Go programs and the Python environment go to
# $MODELCTL_CACHE, else .cache, which git ignores. Messages go to stderr.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${MODELCTL_CACHE:-$PWD/.cache}
mkdir -p "$cache/bin"
exec 3>&1 1>&2

# The judges and peers: program, module, version.
go_programs="
registry    github.com/distribution/distribution/v3/cmd/registry        v3.1.2
crane       github.com/google/go-containerregistry/cmd/crane            v0.22.1
oras        oras.land/oras/cmd/oras                                     v1.3.2
regctl      github.com/regclient/regclient/cmd/regctl                   v0.11.7
conformance github.com/opencontainers/distribution-spec/conformance     v0.0.0-20260831232431-97274622c111
toxiproxy-server github.com/Shopify/toxiproxy/v2/cmd/server             v2.12.0
"
# Apart from the others, since it takes minutes to build.
cosign="cosign github.com/sigstore/cosign/v3/cmd/cosign                 v3.1.3"

install_go() {
  install_go_programs "$go_programs"
}

install_go_programs() {
  while read -r program module version; do
    [ -n "$program" ] || continue
    found=$(PATH="$cache/bin:$PATH" command -v "$program" || true)
    if [ -n "$found" ] && go version -m "$found" 2>/dev/null | grep -qE "^\s*mod\s+\S+\s+$version\b"; then
      continue
    fi
    echo "installing $program $version"
    # Under a folder of its own, since Go names a program after its module's last part.
    CGO_ENABLED=0 GOBIN="$cache/go-install" go install "$module@$version"
    mv "$cache/go-install/${module##*/}" "$cache/bin/$program"
  done <<<"$1"
}

# ONNX Runtime, the ONNX checker with its test models, and two packages that carry real models.
# --no-deps: silero-vad would bring torch, of which nothing is needed.
install_python() {
  venv=$cache/venv
  if ! "$venv/bin/python" -c 'import onnx, onnxruntime, magika' 2>/dev/null; then
    echo "installing onnxruntime, onnx, magika and silero-vad"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet onnxruntime==1.32.0 onnx==1.23.2
    "$venv/bin/pip" install --quiet --no-deps magika==1.0.3 silero-vad==6.2.3
  fi
  library=$(echo "$venv"/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.*)
  echo "export MODELCTL_TEST_PYTHON='$venv/bin/python' ORT_DYLIB_PATH='$library' MODELCTL_TEST_ORT_LIB='$library'" >&3
}

install_apt() {
  missing=()
  for program in curl docker-registry nginx skopeo strace; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  [ -x /usr/bin/time ] || missing+=(time)
  command -v htpasswd >/dev/null || missing+=(apache2-utils)
  if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    as_root=$([ "$(id -u)" = 0 ] || echo sudo)
    $as_root apt-get update -qq
    # The registry is started by tests only, never as a service.
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
}

# What judges signatures: cosign, the reference of OpenSSF Model Signing, and the JavaScript verifier of sigstore.
# model-signing 1.1.1 forgets that it needs pyopenssl.
install_signing() {
  install_go_programs "$cosign"
  venv=$cache/signing
  if ! "$venv/bin/python" -c 'import model_signing, OpenSSL' 2>/dev/null; then
    echo "installing model-signing 1.1.1"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet model-signing==1.1.1 pyopenssl==26.4.0
  fi
  modules=$cache/sigstore-js/node_modules
  if ! [ -d "$modules/@sigstore/verify" ]; then
    command -v npm >/dev/null || { echo "npm is missing: install Node.js 20.17 or newer"; exit 1; }
    echo "installing @sigstore/verify 3.1.1 and @sigstore/bundle 4.0.0"
    npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$cache/sigstore-js" \
      @sigstore/verify@3.1.1 @sigstore/bundle@4.0.0
  fi
  echo "export MODELCTL_TEST_MODEL_SIGNING='$venv/bin/model_signing' MODELCTL_TEST_SIGSTORE_JS='$modules'" >&3
}

install_fuzz() {
  if ! PATH="$cache/bin:$PATH" command -v cargo-fuzz >/dev/null; then
    echo "installing cargo-fuzz"
    cargo install --quiet --locked --root "$cache" cargo-fuzz@0.13.2
  fi
}

install_deny() {
  if ! PATH="$cache/bin:$PATH" command -v cargo-deny >/dev/null; then
    echo "installing cargo-deny"
    cargo install --quiet --locked --root "$cache" cargo-deny@0.20.2
  fi
}

for group in "$@"; do "install_$group"; done
# Debian keeps nginx where only root looks.
echo "export PATH='$cache/bin':\"\$PATH\":/usr/sbin" >&3
