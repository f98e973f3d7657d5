#!/usr/bin/env bash
# images.sh: builds the container images as OCI archives, without a container engine: static binaries, one layer each.
# out/images/env says what was built last, in the variables that deploy.sh and e2e.sh read.
#
#   TAG       the images' tag (default: hack/version.sh)
#   ALTERED   1: also programs that are wrong on purpose (test/altered), for stories that need them
#   RELEASED  1: also those of the oldest version in test/upgrade
set -euo pipefail
cd "$(dirname "$0")/.."

tag=${TAG:-$(hack/version.sh)}
out=$PWD/out/images
mkdir -p "$out/bin"
GOARCH=${GOARCH:-$(go env GOARCH)}
export CGO_ENABLED=0 GOOS=linux GOARCH GOFLAGS="-trimpath -buildvcs=false"

# image NAME PACKAGE [MODULE [FILE=PATH...]]: the archive out/images/NAME.tar with the program as its entry point, and
# with further files. overlay is laid over the sources.
overlay=
image() {
  local name=$1 package=$2 module=${3:-.}
  (cd "$module" && go build -overlay "$overlay" -ldflags "-s -w -X main.version=$tag" -o "$out/bin/$name" "$package")
  pack "$name" "$out/bin/$name" "${@:4}"
}

# pack NAME PROGRAM [FILE=PATH...]: likewise, with a program that is there.
pack() {
  local name=$1 program=$2
  GOOS='' GOARCH='' go run ./hack/cluster/mkimage -name "gatehouse.local/$name:$tag" -o "$out/$name.tar" \
    -entrypoint "/$name" -user 65532:65532 "$program=/$name" "${@:3}"
}

# The gate trusts these roots when it fetches an issuer's keys, unless a provider brings its own. Go looks for them there.
roots=/etc/ssl/certs/ca-certificates.crt
certificates=()
if [[ -s $roots ]]; then
  certificates=("$roots=$roots")
else
  echo "no $roots here (Debian's package ca-certificates): the gate's image gets no root certificates" >&2
fi

echo "building images, tag $tag"
image operator ./cmd/operator
image authproxy ./cmd/authproxy . "${certificates[@]}"
image mcpfake ./test/mcpfake/cmd/mcpfake
image loadclient ./test/loadclient/cmd/loadclient
image everything github.com/modelcontextprotocol/go-sdk/conformance/everything-server test/everything

cat > "$out/env" << EOT
IMG=gatehouse.local/operator:$tag
AUTHPROXY_IMG=gatehouse.local/authproxy:$tag
MCPFAKE_IMG=gatehouse.local/mcpfake:$tag
EVERYTHING_IMG=gatehouse.local/everything:$tag
LOADCLIENT_IMG=gatehouse.local/loadclient:$tag
EOT

altered=(gate-next gate-with-switch operator-ahead operator-lying operator-next)
for name in "${altered[@]}" operator-old gate-old; do rm -f "$out/$name.tar"; done
if [ -n "${ALTERED:-}" ]; then
  for name in "${altered[@]}"; do
    overlay=$(GOOS='' GOARCH='' go run ./test/altered/cmd/altered "$name" "$PWD/out/altered")
    package=./cmd/operator
    if [[ $name = gate-* ]]; then package=./cmd/authproxy; fi
    image "$name" "$package"
    variable=${name^^}
    echo "${variable//-/_}_IMG=gatehouse.local/$name:$tag" >> "$out/env"
  done
fi

if [ -n "${RELEASED:-}" ]; then
  oldest=(test/upgrade/v*)
  programs=$(hack/released.sh programs "$(basename "${oldest[0]}")")
  pack operator-old "$programs/operator"
  pack gate-old "$programs/authproxy" "${certificates[@]}"
  printf '%s_OLD_IMG=gatehouse.local/%s-old:%s\n' OPERATOR operator "$tag" GATE gate "$tag" >> "$out/env"
fi
