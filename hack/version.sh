#!/usr/bin/env bash
# version.sh: prints the version of this tree, fit for an image tag. A tree that differs from its commit gets a mark of
# its content, so that two builds of one commit with different sources never share a tag.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! version=$(git describe --tags --always 2> /dev/null); then
  # Not a clone: the sources themselves are all there is.
  sum=$(find . -path ./out -prune -o -type f \( -name '*.go' -o -name 'go.*' \) -print0 | sort -z | xargs -0 cat | sha256sum)
  echo "src-${sum:0:12}"
  exit
fi
if [ -n "$(git status --porcelain)" ]; then
  sum=$({
    git diff --binary HEAD
    git ls-files -z --others --exclude-standard | xargs -0 -r sha256sum
  } | sha256sum)
  version+=-dirty-${sum:0:8}
fi
echo "${version//[^A-Za-z0-9_.-]/-}"
