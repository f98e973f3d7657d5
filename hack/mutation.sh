#!/usr/bin/env bash
# mutation.sh: puts gates with one check taken out to the prober (test/mutation), shows which case found which, and closes
# with the counts. Logs are in out/mutation. Needs root, or user namespaces.
#
#   RUN  only tests whose name matches this pattern, such as TestMutants/found/exp
set -euo pipefail
cd "$(dirname "$0")/.."

out=$PWD/out/mutation
rm -rf "$out"
mkdir -p "$out" bin
go build -o bin/testsummary ./hack/testsummary
go build -o "$out/" ./cmd/authproxy

rc=0
# Most of a round is waiting: more of them at once than there are processors.
go test -tags mutation -json -count=1 -parallel 24 -timeout 20m -exec "$PWD/hack/netns" ${RUN:+-run "$RUN"} ./test/mutation \
  -args -program "$out/authproxy" -out "$out" > "$out/test.json" || rc=$?
bin/testsummary < "$out/test.json" || rc=1
if [ -e "$out/totals.txt" ]; then cat "$out/totals.txt"; fi
exit $rc
