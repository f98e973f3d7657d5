#!/usr/bin/env bash
# verify.sh: checks what a compiler cannot. Every check runs; the script fails if one of them did. Generated files are
# written anew on the way, so after a failure of that check it is enough to look at them and commit.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

failed=()
check() { # NAME COMMAND...
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    echo "ok    $name"
  else
    failed+=("$name")
    echo "FAIL  $name"
    printf '%s\n' "$output" | sed 's/^/      /'
  fi
}

# files [PATTERN...]: the files of the tree, committed or about to be, one a line.
files() {
  local f
  git ls-files --cached --others --exclude-standard --deduplicate -- "$@" | while read -r f; do
    if [ -f "$f" ]; then echo "$f"; fi
  done
}

formatted() {
  local found
  found=$(files '*.go' | xargs gofmt -l)
  [ -z "$found" ] || { printf 'run make fmt: %s\n' "$found" && return 1; }
}

# Those of real identity providers only build them, and would be half a gigabyte to download.
modules_tidy() {
  local module rc=0
  for module in $(files '*go.mod' ':!test/providers/*/go.mod' | xargs -n 1 dirname); do
    (cd "$module" && go mod tidy -diff) || { echo "run go mod tidy in $module" && rc=1; }
  done
  return $rc
}

generated() {
  local before after
  before=$(files | xargs -d '\n' sha256sum)
  hack/generate.sh || return 1
  after=$(files | xargs -d '\n' sha256sum)
  diff <(echo "$before") <(echo "$after") | awk '/^[<>]/ {print $3}' | sort -u | sed 's/^/changed by make generate, look and commit: /'
  [ "$before" = "$after" ]
}

kustomizations() {
  local folder rc=0
  for folder in $(files 'config/**/kustomization.yaml' | xargs -n 1 dirname); do
    hack/tools/run kustomize build "$folder" > /dev/null || { echo "in $folder" && rc=1; }
  done
  return $rc
}

scripts() { files | xargs -d '\n' awk 'FNR == 1 && /^#!.*sh$|^# shellcheck shell=/ {print FILENAME} {nextfile}' | xargs -d '\n' shellcheck; }

workflows() { hack/tools/run actionlint; }

# A tag of an action can be moved to other code; a commit cannot.
pinned_actions() {
  if grep -nE '^ *(- )?uses: ' .github/workflows/*.yml | grep -vE '@[0-9a-f]{40} # v[0-9.]+$'; then
    echo "^ name the action by its full commit, with its version as a comment"
    return 1
  fi
}

# The builder's image follows go.mod by hand.
builder_image() {
  local minor
  minor=$(awk '$1 == "go" {print $2}' go.mod | cut -d. -f1,2)
  grep -q "^FROM .*golang:$minor " Dockerfile || { echo "Dockerfile: the builder is not golang:$minor" && return 1; }
}

forbidden() {
  local rc=0 pattern why
  while IFS=$'\t' read -r pattern why; do
    if git grep --untracked -nIE -e "$pattern" -- . ':!hack/verify.sh' ':!LICENSE' ':!*go.sum'; then
      echo "^ $why"
      rc=1
    fi
  done << 'EOF'
\b(TODO|FIXME|XXX)\b	unfinished work belongs into an issue
\bt\.Skip(f|Now)?\(	a test that does not run proves nothing: make it run, or select by package or label
\b[FPX](It|Describe|DescribeTable|Context|When|Entry)\(	a focused or pending spec
image: .*:latest\b	an image without a version is another one tomorrow
-----BEGIN [A-Z ]*PRIVATE KEY-----$	a private key: generate keys where they are needed
(^|[^A-Za-z0-9_.$}/-])/(root|home|Users|work)/	a path of one machine
^(<<<<<<<|>>>>>>>) 	a conflict
EOF
  return $rc
}

check "formatting" formatted
check "go.mod and go.sum of every module" modules_tidy
check "generated files" generated
check "who imports whom" go test -count=1 ./test/imports
check "no name shadows another" go test -count=1 ./test/names
check "manifests" go test -count=1 ./test/manifests
check "alerts and their page" go test -count=1 ./test/alerts
check "dashboards ask for metrics that exist" go -C test/dashboards test -count=1 ./...
check "kustomizations build" kustomizations
check "scripts (shellcheck)" scripts
check "workflows (actionlint)" workflows
check "actions by commit" pinned_actions
check "a release: images, manifests, chart, Krew" go -C hack/release test -count=1 .
check "chart and manifests agree" go -C test/chart test -count=1 .
check "builder image" builder_image
check "forbidden strings" forbidden

if [ ${#failed[@]} -gt 0 ]; then
  printf 'failed:'
  printf ' %s;' "${failed[@]}"
  echo
  exit 1
fi
