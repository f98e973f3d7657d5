#!/usr/bin/env bash
# soak.sh: keeps gates under load for a while (test/soak) and shows what it cost; then tells the stories with real pods that
# take long (hack/e2e.sh, label soak). Both close with their counts. Logs are in out/soak. Needs root; or user namespaces,
# and for the stories a cluster of yours (KUBECONFIG).
#
#   SOAK_SECONDS      how long each kind of load lasts (default: what each says by itself, from 30 seconds to 30 minutes)
#   SOAK_CONNECTIONS  how many connections are left idle (default: 10000)
#   RUN               only tests whose name matches this pattern, and no stories: Memory, Hostile, or 'Memory/^DeepJSON$' for
#                     one attack
set -euo pipefail
cd "$(dirname "$0")/.."

out=$PWD/out/soak
rm -rf "$out"
mkdir -p "$out" bin
go build -o bin/testsummary ./hack/testsummary
go build -o "$out/" ./cmd/authproxy ./test/mcpfake/cmd/mcpfake

rc=0
go test -tags soak -json -count=1 -timeout 120m -exec "$PWD/hack/netns" ${RUN:+-run "$RUN"} ./test/soak -args \
  -program "$out/authproxy" -server "$out/mcpfake" -logs "$out" -duration "${SOAK_SECONDS:-0}s" -idle "${SOAK_CONNECTIONS:-10000}" > "$out/test.json" || rc=$?
if [ -e "$out/tables.txt" ]; then cat "$out/tables.txt"; fi
bin/testsummary < "$out/test.json" || rc=1
if [ -z "${RUN:-}" ]; then LABEL=soak hack/e2e.sh || rc=1; fi
exit $rc
