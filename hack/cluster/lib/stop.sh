# shellcheck shell=bash disable=SC2154 # run, cache and here are of cluster.sh
# Ending a cluster, whatever state it is in.

# stop_node ends every process of the node and removes its cgroups. With its first process the kernel ends all others,
# and with the last of them the namespaces go: mounts, network devices and packet filters.
stop_node() {
  local attempt
  if alive; then
    kill -KILL "$node_pid"
    for attempt in {1..100}; do
      [ -d "/proc/$node_pid" ] || break
      sleep 0.1
    done
    if [ -d "/proc/$node_pid" ]; then
      fail "process $node_pid is still there $((attempt / 10)) s after it was killed"
    fi
  fi
  rm -f "$run/node.pid" "$run/ready"
  if [ -s "$run/cgroups" ]; then
    remove_cgroups "$run/cgroups" || fail "not everything could be removed"
    rm "$run/cgroups"
  fi
}

# remove_state empties the run folder; the folder itself is the lock.
remove_state() {
  find "$run" -mindepth 1 -maxdepth 1 -exec rm -rf --one-file-system {} +
}
