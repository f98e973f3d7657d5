// Package memory fits the process into its container: the Go runtime learns of the container's CPU limit by itself
// (package runtime, "GOMAXPROCS"), but not of its memory limit, and would be killed before it thinks of collecting.
//
// It must not know what the process does.
package memory

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Where a container finds the limits of its own cgroup.
const (
	version2 = "memory.max"
	version1 = "memory/memory.limit_in_bytes"
)

// none is more than any machine has. Version 1 says so by the largest number of whole pages.
const none = 1 << 60

// ForGo returns what the Go runtime should stay below in a container with this limit, in bytes: 60 % of it. The program
// itself, page cache and the kernel's buffers of connections count as well, and under attack the rest is for them.
func ForGo(limit int64) int64 { return limit / 10 * 6 }

// Limit returns the memory that the container may use, in bytes; limited is false if there is no limit. root is where
// cgroups are mounted, "/sys/fs/cgroup".
func Limit(root string) (bytes int64, limited bool) {
	for _, name := range []string{version2, version1} {
		// A file that is not there is of the other version, or of a cgroup without a limit.
		if text, err := os.ReadFile(filepath.Join(root, name)); err == nil {
			return parse(string(text))
		}
	}
	return 0, false
}

// parse reads "max" or a number of bytes.
func parse(text string) (bytes int64, limited bool) {
	total, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || total <= 0 || total >= none {
		return 0, false
	}
	return total, true
}
