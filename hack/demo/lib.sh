# shellcheck shell=bash
# lib.sh is sourced by demo.sh and down.sh, from the repository's root: what the two know of each other.

# shellcheck source=../images-env.sh
. hack/images-env.sh
# shellcheck source=../cluster-env.sh
. hack/cluster-env.sh

namespace=demo
# On the namespace: what the demo made besides it, and so what has to go with it: cluster, operator or nothing.
made_key=mcp.gatehouse.dev/demo-made
work=out/demo

# end_forwards ends the port-forwards of the last demo, which outlive it.
end_forwards() {
  local file pid
  for file in "$work"/*.pid; do
    [ -e "$file" ] || continue
    read -r pid < "$file"
    # The number may be another process's by now.
    if tr '\0' ' ' < "/proc/$pid/cmdline" 2> /dev/null | grep -q " port-forward .*-n $namespace "; then
      kill "$pid"
    fi
    rm "$file"
  done
}

# made prints what the demo made; nothing when the namespace is not there, or not the demo's.
made() {
  hack/kubectl get namespace "$namespace" --ignore-not-found \
    -o "go-template={{with .metadata.annotations}}{{with index . \"$made_key\"}}{{.}}{{end}}{{end}}"
}
