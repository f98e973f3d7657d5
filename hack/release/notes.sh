#!/usr/bin/env bash
# notes.sh VERSION: prints what CHANGELOG.md says of a release, such as v0.2.0, as the notes of that release; an error if it
# says nothing. Links to files of the repository become links to the tag's.
set -euo pipefail
version=${1:?usage: notes.sh VERSION}
cd "$(dirname "$0")/../.."

notes=$(awk -v head="## [${version#v}]" '
  index($0, "## ") == 1 { inside = index($0, head) == 1; next }
  /^\[[^]]*\]: / { next }
  inside { print }' CHANGELOG.md | sed "s|](docs/|](https://github.com/mcp-gatehouse/gatehouse/blob/$version/docs/|g")
if [ -z "${notes//[[:space:]]/}" ]; then
  echo "notes: CHANGELOG.md has no section [${version#v}]: rename Unreleased, and give it the date" >&2
  exit 1
fi
printf '%s\n\n' "$notes"
cat << EOF
Install: \`kubectl apply -f https://github.com/mcp-gatehouse/gatehouse/releases/download/$version/install.yaml\`, or
\`helm install gatehouse oci://ghcr.io/mcp-gatehouse/gatehouse/charts/gatehouse --version ${version#v} --namespace gatehouse-system --create-namespace\`.
How to verify what you install: [docs/release.md](https://github.com/mcp-gatehouse/gatehouse/blob/$version/docs/release.md#verify-a-release).
EOF
