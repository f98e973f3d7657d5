#!/usr/bin/env bash
# down.sh: removes what demo.sh made, and nothing that was there before it.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=lib.sh
. hack/demo/lib.sh

remove_namespace() {
  echo "demo: removing the namespace $namespace; its pods let go of their clients first"
  hack/kubectl delete namespace "$namespace" --timeout=180s
}

end_forwards
rm -rf "$work"
if is_local; then
  KUBECONFIG=$(local_kubeconfig)
  export KUBECONFIG
  if [ ! -e "$KUBECONFIG" ]; then
    echo "demo: there is no local cluster, so nothing to remove"
    exit
  fi
fi
case $(made) in
  '') echo "demo: nothing to remove" ;;
  cluster) hack/cluster/down ;;
  nothing) remove_namespace ;;
  operator)
    remove_namespace
    echo "demo: removing the operator"
    hack/deploy.sh --purge
    ;;
esac
