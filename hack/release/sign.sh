#!/usr/bin/env bash
# sign.sh FOLDER: signs the checksums of a release, which stand for every file, and its provenance; then checks both as users do.
# SIGN and COSIGN_KEY are as in release.sh.
set -euo pipefail
folder=$(realpath "${1:?usage: sign.sh FOLDER}")
cd "$(dirname "$0")/../.."
# shellcheck source=sign-env.sh
. hack/release/sign-env.sh

cd "$folder"
"$cosign" sign-blob "${signing[@]}" --bundle checksums.txt.sigstore.json checksums.txt > /dev/null
"$cosign" attest-blob "${signing[@]}" --statement provenance.json --type slsaprovenance1 --bundle provenance.sigstore.json > /dev/null
if [ "$SIGN" = key ]; then cp "${COSIGN_KEY%.key}.pub" cosign.pub; fi

sha256sum --quiet --check checksums.txt
"$cosign" verify-blob "${verifying[@]}" --bundle checksums.txt.sigstore.json checksums.txt
"$cosign" verify-blob-attestation "${verifying[@]}" --type slsaprovenance1 --bundle provenance.sigstore.json install.yaml
