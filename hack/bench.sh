#!/usr/bin/env bash
# bench.sh [BENCH-FLAG...]: measures the gate beside a bare reverse proxy and HAProxy, on loopback; see test/bench. Rows go
# to out/bench.json. Installs HAProxy where it can; without it those cases are left out, and the output says so.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v haproxy > /dev/null && [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; then
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends haproxy; } > /dev/null ||
    echo "could not install HAProxy"
fi

mkdir -p bin out
version=$(hack/version.sh)
go build -ldflags "-s -w -X main.version=$version" -o bin/authproxy ./cmd/authproxy
go build -o bin/bench ./test/bench
go run ./hack/cluster/mkimage -name "gatehouse.local/authproxy:$version" -o out/bench-image.tar \
  -entrypoint /authproxy -user 65532:65532 bin/authproxy=/authproxy

bin/bench -gate bin/authproxy -out out/bench.json "$@"
echo "the gate's image: $(du -b out/bench-image.tar | awk '{printf "%.1f MB", $1 / 1e6}')"
rm out/bench-image.tar
