# shellcheck shell=bash disable=SC2154 # run, cache and here are of cluster.sh
# What the machine must have: Debian's packages and a kernel with all that a node is made of.

# command or file, and the Debian package that brings it
requirements=(
  containerd:containerd ctr:containerd containerd-shim-runc-v2:containerd runc:runc
  iptables:iptables nft:nftables conntrack:conntrack socat:socat ip:iproute2
  openssl:openssl unshare:util-linux nsenter:util-linux setpriv:util-linux
)

install_packages() {
  local requirement package
  local -A missing=()
  for requirement in "${requirements[@]}"; do
    command -v "${requirement%%:*}" > /dev/null || missing[${requirement##*:}]=1
  done
  cni_folder > /dev/null || missing[containernetworking-plugins]=1
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get > /dev/null ||
    fail "these are missing, and there is no apt-get to install them: ${!missing[*]} (Debian's package names)"
  say "installing Debian packages: ${!missing[*]}"
  for package in update "install -y --no-install-recommends ${!missing[*]}"; do
    # shellcheck disable=SC2086  # the words of the command
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 $package > "$run/apt.log" 2>&1 || {
      tail -5 "$run/apt.log" >&2
      fail "apt-get ${package%% *} failed"
    }
  done
}

# cni_folder prints where the CNI plugins are: Debian's place, or the usual one elsewhere.
cni_folder() {
  local folder
  for folder in /usr/lib/cni /opt/cni/bin; do
    if [ -x "$folder/bridge" ] && [ -x "$folder/host-local" ] && [ -x "$folder/portmap" ]; then
      echo "$folder"
      return
    fi
  done
  return 1
}

# check_kernel tries each thing that the node does later, in namespaces that end with the try.
check_kernel() {
  # What is a module and not loaded; the tries below tell whether it is there in the end.
  modprobe -qa overlay bridge br_netfilter veth nf_tables nf_conntrack nft_masq nft_nat 2> /dev/null || true
  can "namespaces (mount, net, pid, uts, ipc, cgroup)" unshare --mount --net --pid --uts --ipc --cgroup --fork true
  mkdir -p "$run/probe"/{lower,upper,work,merged}
  can "an overlay file system in $run" unshare --mount \
    mount -t overlay overlay -o "lowerdir=$run/probe/lower,upperdir=$run/probe/upper,workdir=$run/probe/work" "$run/probe/merged"
  rm -rf "$run/probe"
  can "veth network devices" unshare --net ip link add probe0 type veth peer name probe1
  can "network bridges" unshare --net ip link add probe0 type bridge
  can "bridge netfilter (module br_netfilter)" unshare --net cat /proc/sys/net/bridge/bridge-nf-call-iptables
  can "nftables with NAT" unshare --net nft 'table ip probe { chain c { type nat hook postrouting priority 100; ct state new masquerade; }; }'
  can "iptables with NAT" unshare --net iptables -w -t nat -A POSTROUTING -m comment --comment probe -j MASQUERADE
  check_cgroups
}

# can WHAT COMMAND... fails with WHAT when the command does.
can() {
  local what=$1 said
  shift
  said=$("$@" 2>&1) || fail "this kernel cannot run the local cluster, it lacks: $what ($* said: ${said:-nothing})." \
    "Use any other cluster: set KUBECONFIG, see $here/README.md"
}

check_cgroups() {
  local have controller
  if is_cgroup2; then
    can "a cgroup that delegates cpu, memory and pids" delegating
    return
  fi
  have=,$(hierarchies | cut -d' ' -f1 | tr '\n' ',')
  for controller in cpu cpuacct cpuset memory pids devices freezer; do
    can "cgroup controller $controller" test "${have/,$controller,/}" != "$have"
  done
}
