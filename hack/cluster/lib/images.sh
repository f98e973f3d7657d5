# shellcheck shell=bash disable=SC2154 # run, cache and here are of cluster.sh
# The images that every node needs, made from binaries of hack/kubernetes and this folder, kept in the cache.

# node_images BINARIES prints the folder with pause.tar and coredns.tar.
node_images() {
  local key folder
  key=$(cat "$1/coredns" "$here"/mkimage/*.go "$here"/pause/*.go "$here/lib/images.sh" | sha256sum | cut -c1-12)
  folder=$cache/images/node-$key
  if [ ! -e "$folder/pause.tar" ]; then # the last to be written
    mkdir -p "$folder"
    (
      cd "$here" && export CGO_ENABLED=0 GOWORK=off GOFLAGS="-buildvcs=false -trimpath"
      go build -o "$folder/" ./mkimage ./pause
      "$folder/mkimage" -name gatehouse.local/coredns:local -o "$folder/coredns.tar" -entrypoint /coredns "$1/coredns=/coredns"
      "$folder/mkimage" -name gatehouse.local/pause:local -o "$folder/pause.tar" -entrypoint /pause "$folder/pause=/pause"
      rm "$folder/mkimage" "$folder/pause"
    ) >&2 || return
    # Those of older builds are of no further use.
    find "$cache/images" -maxdepth 1 -name 'node-*' ! -path "$folder" -mtime +7 -exec rm -rf {} +
  fi
  echo "$folder"
}
