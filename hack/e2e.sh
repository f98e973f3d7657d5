#!/usr/bin/env bash
# e2e.sh: runs the end-to-end tests with real pods: cluster up, images built and loaded, operator deployed, specs run.
# With KUBECONFIG set it uses that cluster instead and builds nothing; the images are then named by the variables below.
#
#   LABEL       Ginkgo label filter, such as ci or '!npm && !soak' (default: !soak && !release, all but those that take long)
#   OPERATIONS_SEED  repeats the operations of a run that printed it (label operations)
#   RUN         only specs whose text matches this pattern
#   KUBECONFIG  a cluster of your own; then also IMG, AUTHPROXY_IMG, MCPFAKE_IMG, EVERYTHING_IMG, LOADCLIENT_IMG, NPM_IMG,
#               PROMETHEUS_IMG, QUILT_IMG,
#               GATE_NEXT_IMG, GATE_WITH_SWITCH_IMG, OPERATOR_AHEAD_IMG, OPERATOR_LYING_IMG and OPERATOR_NEXT_IMG, and
#               GATE_OLD_IMG and OPERATOR_OLD_IMG
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=images-env.sh
. hack/images-env.sh
# shellcheck source=cluster-env.sh
. hack/cluster-env.sh

all='!soak && !release'
LABEL=${LABEL:-$all}
# tells PATTERN: the run has all specs, or those of such a label.
tells() { [[ $LABEL = "$all" || $LABEL =~ (^|[^!a-z])$1 ]]; }
# The programs that are wrong on purpose are made for a run of all specs, or of those that name them.
if tells "(altered|leaks|soak|upgrade)"; then export ALTERED=1; fi
if tells upgrade; then export RELEASED=1; fi
if is_local; then
  local_up
  # What a release has for its users: two of them, on a registry of the node.
  if [[ $LABEL =~ (^|[^!a-z])release ]]; then
    RELEASES=$PWD/out/e2e/releases
    RELEASE_REGISTRY=$(hack/release/serve.sh "$RELEASES" v0.0.1 v0.0.2)
    HELM=$PWD/hack/cluster/helm
    export RELEASES RELEASE_REGISTRY HELM
  fi
  KUBECONFIG=$(local_kubeconfig)
  GATEHOUSE_COMPONENT=$PWD/hack/cluster/component # by which stories have parts of the cluster stand still
  export KUBECONFIG GATEHOUSE_COMPONENT
  # The server from npm takes node and npm: it is made only for a run of all specs, or of those that name it.
  if tells npm; then
    archive=$(hack/cluster/npm-image)
    said=$(hack/cluster/load-image "$archive" 2>&1)
    echo "$said"
    NPM_IMG=$(grep -o 'gatehouse.local/npm-everything:[^ ]*' <<< "$said")
    export NPM_IMG
  fi
  if tells alerts; then
    archive=$(hack/cluster/prometheus-image)
    said=$(hack/cluster/load-image "$archive" 2>&1)
    echo "$said"
    PROMETHEUS_IMG=$(grep -o 'gatehouse.local/prometheus:[^ ]*' <<< "$said")
    export PROMETHEUS_IMG
  fi
  # The server from PyPI takes Python and pip, and a few minutes for the first time.
  if tells quilt; then
    archive=$(hack/cluster/quilt-image)
    said=$(hack/cluster/load-image "$archive" 2>&1)
    echo "$said"
    QUILT_IMG=$(grep -o 'gatehouse.local/quilt-mcp:[^ ]*' <<< "$said")
    export QUILT_IMG
  fi
fi
images_env IMG AUTHPROXY_IMG MCPFAKE_IMG EVERYTHING_IMG LOADCLIENT_IMG
if [ -n "${ALTERED:-}" ]; then images_env GATE_NEXT_IMG GATE_WITH_SWITCH_IMG OPERATOR_AHEAD_IMG OPERATOR_LYING_IMG OPERATOR_NEXT_IMG; fi
if tells chart; then
  HELM=${HELM:-$(hack/tools/run --path helm)}
  export HELM
fi
if [ -n "${RELEASED:-}" ]; then images_env GATE_OLD_IMG OPERATOR_OLD_IMG; fi
hack/deploy.sh
if tells "(keys|barestart)"; then
  GATEHOUSE_CLI=$PWD/out/e2e/gatehouse # the command line, as users run it
  export GATEHOUSE_CLI
  go build -o "$GATEHOUSE_CLI" ./cmd/gatehouse
fi

export GINKGO_NO_COLOR=TRUE
out=$PWD/out/e2e
mkdir -p bin "$out"
go build -o bin/testsummary ./hack/testsummary
go build -o "$out/ginkgo" github.com/onsi/ginkgo/v2/ginkgo
go test -tags e2e -c -o "$out/e2e.test" ./test/e2e
# Most of a story is waiting: three are told at once, but for those that change what others need (Serial).
go tool test2json -t -p test/e2e "$out/ginkgo" run -v --procs=3 --timeout=4h --label-filter="$LABEL" ${RUN:+--focus="$RUN"} "$out/e2e.test" |
  bin/testsummary -v
