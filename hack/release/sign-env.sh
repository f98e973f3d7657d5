# shellcheck shell=bash disable=SC2034 # cosign, signing and verifying are for those who source this file
# sign-env.sh is sourced, from the repository's root: it sets cosign to the program, and signing and verifying to the flags by
# which it signs, and checks what it has signed. SIGN and COSIGN_KEY are as in release.sh.

cosign=$(hack/tools/run --path cosign)
signing=(--yes)
case ${SIGN:?key or keyless} in
  key)
    # No log and no clock of others: this key is for those who know it.
    if [ -z "${COSIGN_KEY:-}" ]; then
      COSIGN_KEY=$PWD/out/release-key/cosign.key
      if [ ! -e "$COSIGN_KEY" ]; then
        mkdir -p "${COSIGN_KEY%/*}"
        COSIGN_PASSWORD="" "$cosign" generate-key-pair --output-key-prefix "${COSIGN_KEY%.key}"
      fi
    fi
    export COSIGN_PASSWORD=${COSIGN_PASSWORD-}
    signing+=(--key "$COSIGN_KEY" --use-signing-config=false --tlog-upload=false)
    verifying=(--key "${COSIGN_KEY%.key}.pub" --insecure-ignore-tlog)
    ;;
  keyless)
    # The workflow itself, at this very tag.
    verifying=(
      --certificate-oidc-issuer https://token.actions.githubusercontent.com
      --certificate-identity "${GITHUB_SERVER_URL:?}/${GITHUB_WORKFLOW_REF:?}"
    )
    ;;
  *)
    echo "SIGN=$SIGN: want key or keyless" >&2
    exit 2
    ;;
esac
