#!/usr/bin/env bash
# alerts.sh: tries the alerts of config/prometheus on promtool (test/alerts), and closes with the counts. Installs promtool
# where it may, from Debian's package prometheus; without it the tests fail.
#
#   RUN  only tests whose name matches this pattern, such as TestAlerts/GatehouseLockFails
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v promtool > /dev/null && [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; then
  # In runlevel 1 the package does not start its server.
  { apt-get -qq update && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends prometheus; } > /dev/null ||
    echo "could not install the package prometheus"
fi
if command -v promtool > /dev/null; then promtool --version 2>&1 | sed -n 1p; fi

mkdir -p bin
go build -o bin/testsummary ./hack/testsummary
go test -tags alerts -json -count=1 -timeout 15m ${RUN:+-run "$RUN"} ./test/alerts | bin/testsummary
