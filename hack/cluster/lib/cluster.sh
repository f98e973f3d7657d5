# shellcheck shell=bash
# The cluster that GATEHOUSE_CLUSTER names: its folder, its lock, and what is said on the way. Sourced by every command.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
name=${GATEHOUSE_CLUSTER:-gatehouse}
if ! [[ $name =~ ^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$ ]]; then
  echo "GATEHOUSE_CLUSTER=$name: want at most 40 lower-case letters, digits and dashes" >&2
  exit 2
fi

# State, by the XDG rule of what outlives a process but is of no value to keep: not /tmp, which may be a small memory
# file system or be swept while the cluster runs, and not /run, which is mounted noexec on some machines. After a reboot
# it is still there, so that a stale cluster is seen and removed.
run=${XDG_STATE_HOME:-${HOME:-/root}/.local/state}/gatehouse/clusters/$name
# shellcheck disable=SC2034  # for those who source this file
cache=${GATEHOUSE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/gatehouse}
# shellcheck disable=SC2034
cgroup=gatehouse-$name

begun=${EPOCHREALTIME/./}

# say prints a line of progress with the seconds since the command began. Only results go to standard output.
say() {
  local passed=$((${EPOCHREALTIME/./} - begun))
  printf '%5d.%d s  %s\n' $((passed / 1000000)) $((passed / 100000 % 10)) "$*" >&2
}

fail() {
  printf 'cluster %s: %s\n' "$name" "$*" >&2
  exit 1
}

# lock holds the run folder against other commands on the same cluster until this one ends (descriptor 8). The folder is
# its own lock, so that nothing is left when it is removed; who waited for a folder that is gone by then tries again.
lock() {
  while :; do
    mkdir -p "$run" && chmod 700 "$run"
    exec 8< "$run"
    flock -n 8 || {
      say "waiting for another command on cluster $name"
      flock -w 600 8
    } || fail "another command has held $run for ten minutes"
    if [ "$run" -ef /proc/self/fd/8 ]; then return; fi
  done
}

require_root() {
  if [ "$(id -u)" -ne 0 ]; then
    fail "the local cluster needs root (it mounts file systems and makes network devices, in namespaces of its own)." \
      "Or use any other cluster: set KUBECONFIG, see $here/README.md"
  fi
}

# alive tells whether the node's first process runs, and puts its process id in $node_pid. The pidfile holds the id, the
# start time and the boot it belongs to: an id alone may meanwhile be another process's.
alive() {
  local start boot now
  { read -r node_pid start boot < "$run/node.pid"; } 2> /dev/null || return 1
  [ "$boot" = "$(< /proc/sys/kernel/random/boot_id)" ] || return 1
  now=$(start_time "$node_pid") && [ "$now" = "$start" ]
}

# start_time prints when a process started, in clock ticks since boot: field 22 of its stat, counted from behind the
# command's name, which may itself hold spaces. A zombie has ended.
start_time() {
  local stat fields
  { stat=$(< "/proc/$1/stat"); } 2> /dev/null || return 1
  read -ra fields <<< "${stat##*) }"
  [ "${fields[0]}" != Z ] && echo "${fields[19]}"
}

require_alive() {
  alive || fail "not running: start it with hack/cluster/up"
}

# in_node puts this shell in the place of a command in the node's namespaces, run from the node's root folder. The
# command ends with this process: nsenter waits for it outside, and alone would leave it behind when it is killed.
in_node() {
  exec nsenter --target "$node_pid" --mount --net --pid --uts --ipc --cgroup -- setpriv --pdeathsig TERM "$@"
}
