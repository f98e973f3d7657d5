# shellcheck shell=bash disable=SC2154 # run, state, node_ip and node_name are of init
# What init does to mounts, cgroups, settings and network of the node's namespaces before anything starts in them.

prepare_mounts() {
  mount --make-rshared / # pods' volumes must reach their containers; unshare has cut it off from the machine
  mount -t proc proc /proc
  cd "$run" || return # the folder stays reachable by "." should one of the mounts below hide its path
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir -p "$state" /run/lock /run/shadow
  mount --bind . "$state"
  cd /
  shadow /var/lib
  shadow /var/log
  local folder
  for folder in /var/lib/kubelet /var/lib/containerd /var/log/pods; do
    mkdir -p "$folder" "$state/disk$folder"
    mount --bind "$state/disk$folder" "$folder"
  done
  empty_resolv_conf
}

# shadow FOLDER sends to memory what the node writes below a folder of the machine. A mount on a folder made for it would
# be torn away as soon as anyone removes that folder on the machine.
shadow() {
  local layer=/run/shadow$1
  mkdir -p "$layer/upper" "$layer/work"
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$layer/upper,workdir=$layer/work" "$1"
}

# No name outside the cluster resolves, so that the pull of an image which was not loaded fails at once.
empty_resolv_conf() {
  local file
  [ -e /etc/resolv.conf ] || [ -L /etc/resolv.conf ] || return 0
  file=$(readlink -m /etc/resolv.conf)
  [ -e "$file" ] || { mkdir -p "${file%/*}" && : > "$file"; } # it may have pointed into the machine's /run
  : > "$state/resolv.conf"
  mount --bind "$state/resolv.conf" "$file"
}

# The cgroup namespace has made our cgroups the roots; fresh mounts are needed to see them so.
prepare_cgroups() {
  local version2=
  [ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ] || version2=1
  umount -R -l /sys/fs/cgroup
  if [ -n "$version2" ]; then
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    local controller
    for controller in $(< /sys/fs/cgroup/cgroup.controllers); do
      # A kubelet takes what there is, and says what it cannot do without.
      echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control || true
    done
    return
  fi
  mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
  local controllers folder alias
  while IFS=: read -r _ controllers _; do
    [ -n "$controllers" ] || continue # the version 2 hierarchy beside them has no controllers
    folder=/sys/fs/cgroup/${controllers#name=}
    mkdir "$folder"
    mount -t cgroup -o "${controllers/#name=/none,name=}" cgroup "$folder"
    for alias in ${controllers//,/ }; do
      [ -e "/sys/fs/cgroup/${alias#name=}" ] || ln -s "$controllers" "/sys/fs/cgroup/$alias"
    done
  done < /proc/self/cgroup
}

# A kubelet sets these for the whole machine. It finds the values that it wants, and leaves the machine's alone.
prepare_sysctls() {
  mkdir -p "$state/sysctl"
  local key value
  while read -r key value; do
    [ -e "/proc/sys/$key" ] || continue
    echo "$value" > "$state/sysctl/${key//\//.}"
    mount --bind "$state/sysctl/${key//\//.}" "/proc/sys/$key"
  done << 'KEYS'
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
KEYS
}

# A pair of devices with nothing behind it gives the node an address and a default route; without the route the
# addresses of Services could not be reached from the node.
prepare_network() {
  hostname "$node_name"
  ip link set lo up
  ip link add uplink0 type veth peer name uplink1
  ip address add "$node_ip/24" dev uplink0
  ip link set uplink0 up
  ip link set uplink1 up
  ip route add default via 10.250.0.254 dev uplink0
  echo 1 > /proc/sys/net/ipv4/ip_forward
  # Frames between pods pass the packet filter too: Services and NetworkPolicies depend on it.
  echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables
  # Replies may come another way than the requests went, through the bridge.
  echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter
}
