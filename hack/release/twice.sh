#!/usr/bin/env bash
# twice.sh: builds a release of the last commit twice, from two clones in folders of other names and lengths, the second with
# nothing of the first in Go's build cache, and compares every file, and every blob of the images.
#
#   VERSION  as in release.sh (default: v0.0.1)
#   CACHED   1: the second takes what was compiled for the first, which is quicker and shows less
set -euo pipefail
cd "$(dirname "$0")/../.."

version=${VERSION:-v0.0.1}
work=$(mktemp -d)
# Go's module cache is read-only, but it is not in there; a build cache is.
trap 'rm -rf "$work"' EXIT

# build CLONE: a release from a clone, and the digest of each of its files.
build() {
  git clone --quiet --no-hardlinks . "$1"
  VERSION=$version SIGN='' OUT=$1/out/release "$1/hack/release/release.sh"
  (cd "$1/out/release" && find . -type f -print0 | sort -z | xargs -0 sha256sum) > "$1.sums"
}

build "$work/one"
if [ -z "${CACHED:-}" ]; then export GOCACHE=$work/cache; fi
mkdir "$work/another-folder"
build "$work/another-folder/further-down"
if ! diff "$work/one.sums" "$work/another-folder/further-down.sums"; then
  echo "FAIL release: two builds of one commit differ"
  exit 1
fi
echo "ok release: $(wc -l < "$work/one.sums") files of two builds have equal digests"
