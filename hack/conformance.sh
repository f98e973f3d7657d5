#!/usr/bin/env bash
# conformance.sh: holds the gate against the MCP conformance suite and against clients that nobody here wrote, with and
# without the gate in between (test/conformance), and closes with their counts. Logs are in out/conformance.
#
# It needs npm (Debian's will do), and root or user namespaces. The packages of test/conformance/node/package-lock.json,
# a newer node among them, are installed once per version.
#
#   ROUNDS           how often each suite runs (default: 5)
#   RUN              only tests whose name matches this pattern
#   GATEHOUSE_CACHE  where the packages are kept (default: $XDG_CACHE_HOME/gatehouse, ~/.cache/gatehouse)
set -euo pipefail
shopt -s inherit_errexit # packages that could not be installed end the run
cd "$(dirname "$0")/.."

out=$PWD/out/conformance
cache=${GATEHOUSE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/gatehouse}/conformance
node=test/conformance/node

# packages prints the folder where they are installed.
packages() {
  local folder
  folder=$cache/$(cat $node/package.json $node/package-lock.json <(uname -m) | sha256sum | cut -c1-12)
  if [ ! -e "$folder/node_modules" ]; then
    command -v npm > /dev/null || { echo "conformance.sh: npm is not in PATH; Debian's packages are nodejs and npm" >&2 && return 1; }
    echo "installing the packages of $node (once per version)" >&2
    mkdir -p "$cache"
    exec 9> "$cache/lock"
    flock 9
    if [ ! -e "$folder/node_modules" ]; then
      rm -rf "$folder" "$folder.new"
      mkdir "$folder.new"
      cp $node/package.json $node/package-lock.json "$folder.new"
      # What is installed is what the lock file says, by its checksums; no package's script is run.
      npm ci --prefix "$folder.new" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
      mv "$folder.new" "$folder"
      # What nobody used for a month goes; a use touches.
      find "$cache" -mindepth 1 -maxdepth 1 -type d ! -path "$folder" -mtime +30 -exec rm -rf {} +
    fi
    exec 9>&-
  fi
  touch "$folder"
  echo "$folder"
}

rm -rf "$out"
mkdir -p "$out/bin" "$out/node" "$out/logs" bin
installed=$(packages)
# Scripts find packages in a folder above them.
ln -s "$installed/node_modules" "$out/node/node_modules"
cp $node/*.mjs "$out/node"

go build -o bin/testsummary ./hack/testsummary
go build -o "$out/bin/" ./cmd/authproxy
(cd test/everything && go build -o "$out/bin/" github.com/modelcontextprotocol/go-sdk/conformance/everything-server ./sdkclient)

rc=0
go test -tags conformance -json -count=1 -timeout 60m -exec "$PWD/hack/netns" ${RUN:+-run "$RUN"} ./test/conformance \
  -args -bin "$out/bin" -node "$out/node" -logs "$out/logs" -rounds "${ROUNDS:-5}" > "$out/test.json" || rc=$?
if [ -e "$out/logs/totals.txt" ]; then cat "$out/logs/totals.txt"; fi
bin/testsummary < "$out/test.json" || rc=1
exit $rc
