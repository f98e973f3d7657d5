#!/usr/bin/env bash
# released.sh: what tests of upgrades need of versions that people have. Each is a folder in test/upgrade, and is built from
# the commit that its file `release` names.
#
# released.sh freeze VERSION COMMIT  writes test/upgrade/VERSION: what users of that version applied, and what its operator
#                                    made of it. Once a version is out, its folder does not change any more.
# released.sh programs VERSION       builds operator and authproxy of that version, once, and prints their folder.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  echo "usage: released.sh freeze VERSION COMMIT | programs VERSION" >&2
  exit 2
}
[ $# -ge 2 ] || usage
version=$2
folder=test/upgrade/$version

# sources COMMIT: the tree of a commit in a temporary folder, $tree.
sources() {
  if ! git cat-file -e "$1^{commit}" 2> /dev/null; then
    echo "$version is built from commit $1, which this clone does not have. In a shallow clone: git fetch --unshallow" >&2
    exit 1
  fi
  tree=$(mktemp -d)
  trap 'rm -rf "$tree"' EXIT
  git archive "$1" | tar -x -C "$tree"
}

freeze() {
  local commit config kustomize objects
  commit=$(git rev-parse --verify "$1^{commit}")
  sources "$commit"
  kustomize=$(hack/tools/run --path kustomize)
  rm -rf "$folder"
  mkdir -p "$folder/samples" "$folder/objects"
  echo "COMMIT=$commit" > "$folder/release"
  config=$tree/internal/gateapi/config.go
  if [ ! -f "$config" ]; then config=$tree/internal/authproxy/config.go; fi # where it was before v0.1.0
  sed -n 's/^\tSchema = \([0-9]*\)$/SCHEMA=\1/p' "$config" >> "$folder/release"

  # As hack/deploy.sh installs it.
  mkdir -p "$tree/out/deploy"
  cat > "$tree/out/deploy/images.yaml" << END
images:
- {kind: Deployment, path: 'spec/template/spec/containers[]/env[]/value'}
END
  cat > "$tree/out/deploy/kustomization.yaml" << END
resources: [../../config/default]
configurations: [images.yaml]
images:
- {name: gatehouse.local/operator, newTag: $version}
- {name: gatehouse.local/authproxy, newTag: $version}
END
  "$kustomize" build "$tree/out/deploy" > "$folder/install.yaml"
  cp "$tree"/config/samples/mcpserver*.yaml "$folder/samples/"
  for objects in "$tree"/internal/desired/testdata/*/; do
    cp "$objects/in.yaml" "$folder/objects/$(basename "$objects").in.yaml"
    # Of what a server owns, what its pods are made from.
    awk 'BEGIN {RS = "---\n"; ORS = ""} /(^|\n)kind: Deployment\n/' "$objects/out.yaml" > "$folder/objects/$(basename "$objects").out.yaml"
  done
}

programs() {
  local cache=${GATEHOUSE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/gatehouse}/released programs COMMIT
  # shellcheck source=/dev/null
  . "$folder/release"
  programs=$cache/$COMMIT-$(go env GOVERSION GOARCH | sha256sum | cut -c1-8)
  if [ ! -x "$programs/authproxy" ]; then # the last to be there
    sources "$COMMIT"
    echo "building $version from commit ${COMMIT::12} (once)" >&2
    mkdir -p "$programs"
    local name
    for name in operator authproxy; do
      (cd "$tree" && CGO_ENABLED=0 GOOS=linux GOWORK=off GOFLAGS="-trimpath -buildvcs=false" \
        go build -ldflags "-s -w -X main.version=$version" -o "$programs/$name.new" "./cmd/$name")
      mv "$programs/$name.new" "$programs/$name"
    done
  fi
  echo "$programs"
}

case $1-$# in
  freeze-3) freeze "$3" ;;
  programs-2) programs ;;
  *) usage ;;
esac
