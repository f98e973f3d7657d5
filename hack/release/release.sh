#!/usr/bin/env bash
# release.sh: builds a release into out/release: `make release VERSION=v0.2.0`. docs/release.md says what is in it.
#
# The same commit gives the same bytes on any machine: the version of Go is that of go.mod, nothing of the environment reaches
# the compiler, and a tree with changes of its own is refused.
#
#   VERSION   the release's tag, such as v0.2.0
#   REGISTRY  where its images and its chart will be (default: ghcr.io/mcp-gatehouse/gatehouse)
#   OUT       the folder (default: out/release); one that is there is replaced
#   CHANGED   1: a tree that differs from its commit is taken as it is, for tests: nobody can build that release again
#   SIGN      key: by the key pair COSIGN_KEY (default: one made in out/release-key); keyless: by the identity of a workflow;
#             empty: not at all
set -euo pipefail
cd "$(dirname "$0")/../.."

version=${VERSION:?name the release, such as VERSION=v0.2.0}
registry=${REGISTRY:-ghcr.io/mcp-gatehouse/gatehouse}
out=$(realpath -m "${OUT:-out/release}")
if [ -z "${CHANGED:-}" ] && [ -n "$(git status --porcelain)" ]; then
  echo "release: this tree differs from its commit; commit or remove what git status shows" >&2
  exit 1
fi
revision=$(git rev-parse HEAD)
created=$(git show --no-patch --format=%ct HEAD)

# What would change the programs if it were set.
unset GOAMD64 GOARM64 GOEXPERIMENT GOFIPS140 GOGCFLAGS CC CXX GOOS GOARCH
GOTOOLCHAIN=go$(awk '$1 == "go" {print $2}' go.mod)
export GOTOOLCHAIN GOFLAGS="-trimpath -buildvcs=false" GOWORK=off CGO_ENABLED=0

programs=$out.programs
rm -rf "$out" "$programs"
mkdir -p "$programs"
for platform in darwin_amd64 darwin_arm64 linux_amd64 linux_arm64 windows_amd64 windows_arm64; do
  started=$SECONDS
  packages=(./cmd/gatehouse)
  if [[ $platform = linux_* ]]; then packages+=(./cmd/operator ./cmd/authproxy); fi
  mkdir "$programs/$platform"
  GOOS=${platform%_*} GOARCH=${platform#*_} go build -ldflags "-s -w -X main.version=$version" -o "$programs/$platform/" "${packages[@]}"
  echo "built $platform, $((SECONDS - started)) s"
done

kustomize=$(hack/tools/run --path kustomize)
go -C hack/release build -o "$programs/release" .
"$programs/release" build -version "$version" -revision "$revision" -created "$created" -registry "$registry" \
  -source . -programs "$programs" -kustomize "$kustomize" -out "$out"
rm -rf "$programs"

if [ -n "${SIGN:-}" ]; then hack/release/sign.sh "$out"; fi
echo "Gatehouse $version, commit ${revision::12}, $(du -sh "$out" | cut -f1) in $out"
