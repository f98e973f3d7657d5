#!/usr/bin/env bash
# deploy.sh: installs the operator with its CRD into the cluster and waits until it runs.
# deploy.sh --delete: removes the operator. MCPServers, their pods and their keys stay, and a new operator takes them over.
# deploy.sh --purge: removes all: first the MCPServers, while their operator is there, then the operator, then the CRD.
#
#   KUBECONFIG          the cluster (default: the local one, hack/cluster)
#   IMG, AUTHPROXY_IMG  the images (default: what `make images` built last)
#   CONFIG              the kustomization to install (default: config/default)
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=images-env.sh
. hack/images-env.sh

remove() { hack/tools/run kustomize build "$1" | hack/kubectl delete --ignore-not-found -f -; }
case ${1:-} in
  --delete)
    remove config/operator
    exit ;;
  --purge)
    if hack/kubectl get crd mcpservers.mcp.gatehouse.dev > /dev/null 2>&1; then
      hack/kubectl delete mcpservers --all --all-namespaces --cascade=foreground --timeout=5m
    fi
    remove config/operator
    remove config/crd
    exit ;;
esac

images_env IMG AUTHPROXY_IMG
# The gate's image is a value in the operator's environment, so kustomize is told that images are to be found there too.
overlay=out/deploy
mkdir -p "$overlay"
cat > "$overlay/images.yaml" << EOF
images:
- {kind: Deployment, path: 'spec/template/spec/containers[]/env[]/value'}
EOF
cat > "$overlay/kustomization.yaml" << EOF
resources: [../../${CONFIG:-config/default}]
configurations: [images.yaml]
EOF
kustomize=$(hack/tools/run --path kustomize)
(cd "$overlay" && "$kustomize" edit set image "gatehouse.local/operator=$IMG" "gatehouse.local/authproxy=$AUTHPROXY_IMG")
"$kustomize" build "$overlay" > "$overlay/install.yaml"

hack/kubectl apply --server-side --force-conflicts -f "$overlay/install.yaml"
hack/kubectl wait --for=condition=Established --timeout=60s -f config/crd/bases
hack/kubectl get -f "$overlay/install.yaml" -o go-template='
{{- range .items}}{{if eq .kind "Deployment"}}{{.metadata.namespace}} {{.metadata.name}}{{"\n"}}{{end}}{{end}}' |
  while read -r namespace name; do
    hack/kubectl rollout status --namespace "$namespace" "deployment/$name" --timeout=120s < /dev/null
  done
