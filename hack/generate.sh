#!/usr/bin/env bash
# generate.sh: writes what follows from the Go types and their markers, and the Grafana dashboards.
set -euo pipefail
cd "$(dirname "$0")/.."
gen() { hack/tools/run controller-gen "$@"; }

gen object paths=./api/...
gen applyconfiguration paths=./api/...
gen crd paths=./api/... output:crd:artifacts:config=config/crd/bases
gen rbac:roleName=operator paths=./controllers/... output:rbac:artifacts:config=config/rbac

# The chart takes from its own folder what it shares with the manifests.
cp config/crd/bases/*.yaml config/chart/files/crds/
cp config/rbac/role.yaml config/prometheus/rules.yaml config/chart/files/

(cd hack/dashboards && go run . ../../config/grafana)

mkdir -p docs/reference
hack/tools/run crd-ref-docs --log-level=WARN --max-depth=20 --config=hack/crd-ref-docs.yaml --source-path=api --renderer=markdown \
  --output-path=docs/reference/api.md
