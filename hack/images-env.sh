# shellcheck shell=bash
# images-env.sh is sourced: it sets IMG, AUTHPROXY_IMG, MCPFAKE_IMG, EVERYTHING_IMG and LOADCLIENT_IMG to what
# `make images` built last, except those that are set already.
images_env() {
  local name image
  if [ -e out/images/env ]; then
    while IFS='=' read -r name image; do
      [ -n "${!name:-}" ] || printf -v "$name" %s "$image"
    done < out/images/env
  fi
  for name in "$@"; do
    if [ -z "${!name:-}" ]; then
      echo "$name is not set, and no images were built here: run 'make images', or set $name to an image your cluster can pull" >&2
      return 1
    fi
    export "${name?}"
  done
}
