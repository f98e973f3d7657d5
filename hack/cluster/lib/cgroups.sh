# shellcheck shell=bash
# The node's cgroups, version 1 (one per hierarchy) and version 2 (one): made below the caller's own, so that limits and
# accounting of whoever started the cluster also hold for the node.

is_cgroup2() { [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; }

# hierarchies prints "CONTROLLERS MOUNTPOINT FOLDER" for each version 1 hierarchy: where it is mounted and the folder of
# this process in it. Mounts may show a part of the hierarchy only, whose path is then cut off.
hierarchies() {
  local -a lines
  local line controllers path root mountpoint
  mapfile -t lines < "/proc/$$/cgroup" # whole, at once: it changes while this process moves
  for line in "${lines[@]}"; do
    IFS=: read -r _ controllers path <<< "$line"
    [ -n "$controllers" ] || continue
    read -r root mountpoint < <(awk -v want="$controllers" '
      { for (i = 7; $i != "-"; i++); if ($(i + 1) == "cgroup" && index("," $(i + 3) ",", "," want ",")) { print $4, $5; exit } }
    ' /proc/self/mountinfo) || continue
    [ "$root" = / ] || path=${path#"$root"}
    echo "$controllers $mountpoint ${mountpoint}${path%/}"
  done
}

# delegating prints the nearest version 2 cgroup at or above this process's that hands out the controllers which a
# kubelet needs. The kernel lets none but the root do so while processes are in it, so it is rarely our own.
delegating() {
  local own folder
  own=$(sed -n 's/^0:://p' "/proc/$$/cgroup")
  folder=/sys/fs/cgroup${own%/}
  while :; do
    if delegates "$folder"; then
      echo "$folder"
      return
    fi
    [ "$folder" != /sys/fs/cgroup ] || return 1
    folder=${folder%/*}
  done
}

delegates() {
  local have
  have=" $(< "$1/cgroup.subtree_control") "
  [[ $have == *" cpu "* && $have == *" memory "* && $have == *" pids "* ]]
}

# join_cgroups NAME LIST makes the cgroups NAME, notes them in the file LIST, and moves this process into them.
join_cgroups() {
  local controllers mountpoint folder
  if is_cgroup2; then
    folder=$(delegating) || return 1
    enter_cgroup "$folder/$1" "$2"
    return
  fi
  hierarchies > "$2.found"
  while read -r controllers mountpoint folder; do
    if [[ ,$controllers, == *,cpuset,* ]]; then
      mkdir -p "$folder/$1"
      cat "$folder/cpuset.cpus" > "$folder/$1/cpuset.cpus" || return
      cat "$folder/cpuset.mems" > "$folder/$1/cpuset.mems" || return
    fi
    enter_cgroup "$folder/$1" "$2" || return
  done < "$2.found"
  rm "$2.found"
}

# enter_cgroup refuses a cgroup in use: that is another cluster of this name, with another state folder.
enter_cgroup() {
  mkdir -p "$1" || return
  if [ -n "$(find "$1" -name cgroup.procs -exec cat {} +)" ]; then
    echo "cgroup $1 belongs to another cluster of this name: choose another GATEHOUSE_CLUSTER" >&2
    return 1
  fi
  echo "$1" >> "$2"
  echo $$ > "$1/cgroup.procs"
}

# remove_cgroups LIST removes the cgroups noted in LIST. A cgroup can stay busy for a moment after its last process.
remove_cgroups() {
  local folder attempt left
  for attempt in {1..50}; do
    left=
    while read -r folder; do
      [ -d "$folder" ] || continue
      find "$folder" -depth -type d -exec rmdir {} + 2> /dev/null || left=$folder
    done < "$1"
    [ -n "$left" ] || return 0
    sleep 0.1
  done
  echo "cgroup $left cannot be removed after $((attempt / 10)) s, it holds the processes:" \
    "$(find "$left" -name cgroup.procs -exec cat {} + | sort -un | tr '\n' ' ')" >&2
  return 1
}
