#!/usr/bin/env bash
# demo.sh: from nothing to a running operator with three MCP servers behind their gates, and what a user would look at.
# Every command that it prints after a dollar sign is the one that it runs; they work in your shell, too, from this
# folder, until `make demo-down`.
#
#   KUBECONFIG  a cluster of your own; then also IMG, AUTHPROXY_IMG, MCPFAKE_IMG, EVERYTHING_IMG (default: a cluster on
#               this machine, and images built from this tree)
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=lib.sh
. hack/demo/lib.sh

# The flags of images.sh: what the programs have in common is compiled once.
export CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false"
begun=${EPOCHREALTIME/./}
doing='look around'
gate_image= # that of the operator that was installed here

main() {
  command -v curl > /dev/null || fail "curl is not in PATH; Debian's package is curl"
  mkdir -p "$work"
  trap 'explain $?' EXIT
  end_forwards
  cluster
  operator
  servers
  look
  ask
  trap - EXIT
  goodbye
}

# step says what comes next, with the seconds since the demo began.
step() {
  local passed=$((${EPOCHREALTIME/./} - begun))
  doing=$*
  printf '\n%4d.%d s  %s\n' $((passed / 1000000)) $((passed / 100000 % 10)) "$*"
}

# show prints a command and runs it.
show() {
  printf '\n$ %s\n' "$1"
  eval "$1"
}

# quietly runs a command whose output matters only if it fails.
quietly() {
  "$@" > "$work/log" 2>&1 || {
    cat "$work/log"
    return 1
  }
}

# fail ends the demo before it has begun: there are no pods to look at.
fail() {
  trap - EXIT
  printf 'demo: %s\n' "$*" >&2
  exit 1
}

indent() { sed -u 's/^/          /'; }

cluster() {
  local what=nothing
  if is_local; then
    hack/cluster/kubectl version > /dev/null 2>&1 || what=cluster
    step "start a cluster on this machine, and build the images"
    local_up | indent
    KUBECONFIG=$(local_kubeconfig)
    export KUBECONFIG
  else
    step "use the cluster of KUBECONFIG"
  fi
  images_env MCPFAKE_IMG EVERYTHING_IMG
  if [ $what = nothing ] && ! has_operator; then what=operator; fi
  if hack/kubectl get namespace $namespace > /dev/null 2>&1; then
    [ -n "$(made)" ] || fail "the namespace $namespace is there already, and not of this demo: this demo needs it for itself"
  else
    quietly hack/kubectl create namespace $namespace
    quietly hack/kubectl annotate namespace $namespace "$made_key=$what"
    quietly hack/kubectl label namespace $namespace pod-security.kubernetes.io/enforce=restricted
  fi
}

has_operator() { hack/kubectl get customresourcedefinition mcpservers.mcp.gatehouse.dev > /dev/null 2>&1; }

operator() {
  quietly go build -o bin/ ./cmd/gatehouse
  # Somebody's own operator in somebody's own cluster is not replaced.
  if ! is_local && [ "$(made)" = nothing ]; then
    step "use the operator that is there"
    return
  fi
  step "install the operator, and build the command line"
  quietly hack/deploy.sh
  images_env AUTHPROXY_IMG
  gate_image=$AUTHPROXY_IMG
}

servers() {
  local manifest
  step "apply three MCPServers, and wait until they are what they will be"
  mkdir -p "$work/manifests"
  for manifest in hack/demo/*.yaml; do
    sed -e "s|gatehouse.local/everything\$|$EVERYTHING_IMG|" -e "s|gatehouse.local/mcpfake\$|$MCPFAKE_IMG|" \
      "$manifest" > "$work/manifests/${manifest##*/}"
  done
  show "hack/kubectl apply -n $namespace -f $work/manifests"
  show "hack/kubectl wait -n $namespace mcpserver everything resets --for=condition=Ready --timeout=120s"
  show "hack/kubectl wait -n $namespace mcpserver dies --for='jsonpath={.status.conditions[?(@.type==\"Available\")].reason}=ContainerExited' --timeout=120s"
  show "hack/kubectl wait -n $namespace mcpserver dies --for='jsonpath={.status.conditions[?(@.type==\"AuthHealthy\")].reason}=UpstreamUnavailable' --timeout=120s"
  await_rollout
}

# await_rollout: in a second demo, pods of the first one's images serve until those of the new ones do.
await_rollout() {
  local name
  for name in everything resets; do
    if [ -n "$gate_image" ]; then
      quietly hack/kubectl wait -n $namespace mcpserver $name "--for=jsonpath={.status.gateImage}=$gate_image" --timeout=60s
    fi
    quietly hack/kubectl rollout status -n $namespace deployment $name --timeout=120s
  done
}

look() {
  step "look at them"
  show "hack/kubectl get mcpserver -n $namespace"
  echo
  echo "Why everything is Ready:"
  show "hack/kubectl get mcpserver -n $namespace everything -o jsonpath='{range .status.conditions[*]}{.type}: {.status} ({.reason}) {.message}{\"\\n\"}{end}'"
  echo
  echo "Why dies is not:"
  show "hack/kubectl get mcpserver -n $namespace dies -o jsonpath='{.status.conditions[?(@.type==\"Available\")].message}{\"\\n\"}'"
}

ask() {
  local list='{"jsonrpc":"2.0","id":1,"method":"tools/list"}' kubeconfig=
  step "ask the healthy server: without a token, with a malformed one, with a valid one"
  forward everything
  show "curl -sS -i $url --json '$list'"
  show "curl -sS -i $url -H 'Authorization: Bearer not-a-valid-jwt-token' --json '$list'"
  if is_local; then kubeconfig=" --kubeconfig $KUBECONFIG"; fi
  show "TOKEN=\$(bin/gatehouse token everything -n $namespace$kubeconfig)"
  show "curl -sS -i $url -H \"Authorization: Bearer \$TOKEN\" -H 'Accept: application/json, text/event-stream' --json '$list' | grep -oE '^HTTP.*|\"name\":\"[^\"]*\"'"

  step "ask the server that resets: its gate answers in its place"
  forward resets
  show "curl -sS -o /dev/null -w '%{http_code}\\n' $url --json '$list'"
  show "curl -sS -o /dev/null -w '%{http_code}\\n' $url -H 'Authorization: Bearer not-a-valid-jwt-token' --json '$list'"
  show "TOKEN=\$(bin/gatehouse token resets -n $namespace$kubeconfig)"
  show "curl -sS -o /dev/null -w '%{http_code}\\n' $url -H \"Authorization: Bearer \$TOKEN\" --json '$list'"
}

# forward makes the server's gate answer on a free port of this machine, sets url, and waits until it does.
forward() {
  local name=$1 port=18080 deadline=$((SECONDS + 20))
  while (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do port=$((port + 1)); done
  show "hack/kubectl port-forward -n $namespace service/$name $port:8080 > $work/$name.log 2>&1 &"
  echo $! > "$work/$name.pid"
  until (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do
    if [ $SECONDS -ge $deadline ]; then
      echo "no port-forward to $name: $(cat "$work/$name.log")" >&2
      return 1
    fi
    sleep 0.1
  done
  url=http://127.0.0.1:$port/mcp
}

goodbye() {
  step "done"
  echo "          The port-forwards go on, so the commands above work in your shell as they stand. \`make demo-down\` ends it all."
}

# explain CODE tells at which step the demo ended too early, and how the pods are.
explain() {
  [ "$1" -ne 0 ] || return 0
  {
    echo
    echo "demo: FAILED at: $doing"
    if hack/kubectl get namespace > /dev/null 2>&1; then
      hack/kubectl get mcpserver,pods -n $namespace -o wide
      hack/kubectl get pods -n gatehouse-system -o wide
      hack/kubectl get events -n $namespace --sort-by=.lastTimestamp | tail -n 15
    fi
    echo "demo: what is there was left for you to look at; \`make demo-down\` removes it"
  } >&2
  end_forwards
}

main
