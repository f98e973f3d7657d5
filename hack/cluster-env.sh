# shellcheck shell=bash
# cluster-env.sh is sourced, beside images-env.sh, from the repository's root: which cluster to work on.

# local_kubeconfig prints where the kubeconfig of the local cluster is, once it runs.
local_kubeconfig() (
  # shellcheck source=cluster/lib/cluster.sh
  . hack/cluster/lib/cluster.sh
  echo "${run:?}/kubeconfig"
)

# is_local tells whether the cluster is the local one: no other is named, or KUBECONFIG is what hack/cluster/up printed.
is_local() { [ -z "${KUBECONFIG:-}" ] || [ "$KUBECONFIG" = "$(local_kubeconfig)" ]; }

# local_up starts the local cluster with the images of this tree in it, and tells on standard output how it gets on.
local_up() {
  { hack/cluster/up > /dev/null; } 2>&1
  hack/images.sh
  hack/cluster/load-image out/images/*.tar 2>&1
}
