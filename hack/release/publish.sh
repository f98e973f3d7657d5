#!/usr/bin/env bash
# publish.sh FOLDER: pushes the images, their SBOMs and the chart of a release to the registry that its files name, signs each by
# its digest with the release's provenance, and checks the signatures.
#
#   REGISTRY    another one, which keeps digests as they are
#   PLAIN_HTTP  1: it speaks HTTP without TLS
#   SIGN        as in release.sh; empty: no signatures
set -euo pipefail
folder=$(realpath "${1:?usage: publish.sh FOLDER}")
cd "$(dirname "$0")/../.."

named=$(head -n 1 "$folder/images.txt")
registry=${REGISTRY:-${named%/operator:*}}
pushed=$(go -C hack/release run . push -from "$folder" -registry "$registry" ${PLAIN_HTTP:+-plain-http})
echo "$pushed"
while IFS=@ read -r name digest; do
  grep -q "@$digest\$" <<< "$pushed" || { echo "publish: $name of images.txt was not pushed as $digest" >&2 && exit 1; }
done < "$folder/images.txt"
[ -n "${SIGN:-}" ] || exit 0

# shellcheck source=sign-env.sh
. hack/release/sign-env.sh
predicate=$(mktemp)
trap 'rm -f "$predicate"' EXIT
go -C hack/release run . predicate "$folder/provenance.json" > "$predicate"
insecure=(${PLAIN_HTTP:+--allow-http-registry})
for image in $pushed; do
  "$cosign" sign "${signing[@]}" "${insecure[@]}" "$image"
  "$cosign" attest "${signing[@]}" "${insecure[@]}" --type slsaprovenance1 --predicate "$predicate" "$image"
  "$cosign" verify "${verifying[@]}" "${insecure[@]}" "$image" > /dev/null
  "$cosign" verify-attestation "${verifying[@]}" "${insecure[@]}" --type slsaprovenance1 "$image" > /dev/null
done
