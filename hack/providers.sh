#!/usr/bin/env bash
# providers.sh: runs real identity providers beside a real gate (test/providers): access tokens in, ID tokens and those for others
# refused, and keys replaced at the provider while clients call. Closes with the counts. The first run builds Hydra and SPIRE,
# about fifteen minutes on two cores, and downloads Keycloak. Logs are in out/providers. Needs root, a C compiler, Maven and Java.
#
#   RUN  only tests whose name matches this pattern: Hydra, SPIRE or Keycloak; or Pages, for the fixtures alone
set -euo pipefail
cd "$(dirname "$0")/.."

out=$PWD/out/providers
cache=${GATEHOUSE_CACHE:-$HOME/.cache/gatehouse}/providers
rm -rf "$out"
mkdir -p "$out" "$cache" bin

# wanted PATTERN: whether RUN selects the test.
wanted() { [ -z "${RUN:-}" ] || [[ Test$1 =~ $RUN ]]; }

# built NAME PACKAGE...: builds programs of the module test/providers/NAME once per version.
built() {
  local name=$1 sums folder
  shift
  sums=$(cat "test/providers/$name/go.mod" "test/providers/$name/go.sum" | sha256sum | cut -c 1-12)
  folder=$cache/$name-$sums
  if [ ! -e "$folder/built" ]; then
    mkdir -p "$folder"
    # Both keep their data in SQLite, which is C.
    CGO_ENABLED=1 go -C "test/providers/$name" build -tags sqlite -o "$folder/" "$@" >&2
    touch "$folder/built"
  fi
  echo "$folder"
}

keycloak_version=26.7.3
keycloak() {
  local folder=$cache/keycloak-$keycloak_version
  if [ ! -e "$folder/bin/kc.sh" ]; then
    mvn --quiet --batch-mode dependency:get -Dtransitive=false -Dartifact="org.keycloak:keycloak-quarkus-dist:$keycloak_version:zip" >&2
    mvn --quiet --batch-mode dependency:copy -Dartifact="org.keycloak:keycloak-quarkus-dist:$keycloak_version:zip" -DoutputDirectory="$cache" >&2
    unzip -q -o "$cache/keycloak-quarkus-dist-$keycloak_version.zip" -d "$cache" >&2
    rm "$cache/keycloak-quarkus-dist-$keycloak_version.zip"
  fi
  echo "$folder"
}

args=()
if wanted Hydra; then args+=(-hydra "$(built hydra github.com/ory/hydra/v2)/hydra"); fi
if wanted SPIRE; then args+=(-spire "$(built spire github.com/spiffe/spire/cmd/spire-server github.com/spiffe/spire/support/oidc-discovery-provider)"); fi
if wanted Keycloak; then args+=(-keycloak "$(keycloak)"); fi

go build -o bin/testsummary ./hack/testsummary
go build -o "$out/" ./cmd/authproxy ./test/mcpfake/cmd/mcpfake

rc=0
go -C test/providers test -tags providers -json -count=1 -timeout 40m -exec "$PWD/hack/netns" ${RUN:+-run "$RUN"} . -args \
  -program "$out/authproxy" -server "$out/mcpfake" -logs "$out" "${args[@]}" > "$out/test.json" || rc=$?
if [ -e "$out/totals.txt" ]; then cat "$out/totals.txt"; fi
bin/testsummary < "$out/test.json" || rc=1
exit $rc
