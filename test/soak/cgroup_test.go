//go:build soak

package soak

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	cgroupRoot = "/sys/fs/cgroup"
	cpuPeriod  = 100_000 // microseconds, the kernel's default
)

// cgroup is that of one gate. With version 2 (cgroups(7)) both folders are the same.
type cgroup struct {
	memory, cpu string
	version     int
	limit       int64 // bytes
}

// newCgroup makes a cgroup with a memory limit, no swap, and half of the processors, at least one: the other half is for
// those who ask. It is removed at the end of the test. Without it the test proves nothing, and fails.
func newCgroup(t *testing.T, limit int64) *cgroup {
	t.Helper()
	g := &cgroup{limit: limit, version: 1}
	name := fmt.Sprintf("gatehouse-soak-%d-%d", os.Getpid(), time.Now().UnixNano())
	if _, err := os.Stat(filepath.Join(cgroupRoot, "cgroup.controllers")); err == nil {
		g.version = 2
		parent := delegating(t)
		g.memory = makeCgroup(t, filepath.Join(parent, name))
		g.cpu = g.memory
	} else {
		g.memory = makeCgroup(t, filepath.Join(ownCgroup(t, "memory"), name))
		g.cpu = makeCgroup(t, filepath.Join(ownCgroup(t, "cpu"), name))
	}
	quota := max(1, runtime.NumCPU()/2) * cpuPeriod
	if g.version == 2 {
		g.set(t, g.memory, "memory.max", limit, true)
		g.set(t, g.memory, "memory.swap.max", 0, false)
		g.set(t, g.cpu, "cpu.max", fmt.Sprintf("%d %d", quota, cpuPeriod), true)
		return g
	}
	g.set(t, g.memory, "memory.limit_in_bytes", limit, true)
	g.set(t, g.memory, "memory.memsw.limit_in_bytes", limit, false)
	g.set(t, g.cpu, "cpu.cfs_period_us", cpuPeriod, true)
	g.set(t, g.cpu, "cpu.cfs_quota_us", quota, true)
	return g
}

// set writes a limit. Files about swap are absent where the kernel does not account for it.
func (g *cgroup) set(t *testing.T, folder, file string, value any, required bool) {
	t.Helper()
	err := os.WriteFile(filepath.Join(folder, file), []byte(fmt.Sprint(value)), 0)
	if err != nil && (required || !errors.Is(err, fs.ErrNotExist)) {
		t.Fatalf("no limit for the gate: %v", err)
	}
}

func makeCgroup(t *testing.T, folder string) string {
	t.Helper()
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatalf("no cgroup for the gate: %v: run this as root, with %s writable (in a container: privileged, with a cgroup namespace of its own)",
			err, cgroupRoot)
	}
	t.Cleanup(func() {
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			if err := os.Remove(folder); err == nil || time.Now().After(deadline) {
				return // It ends with the machine at the latest.
			}
		}
	})
	return folder
}

// ownCgroup is the folder of this process in a hierarchy of version 1, or its root where a mount shows only a part.
func ownCgroup(t *testing.T, controller string) string {
	t.Helper()
	root := filepath.Join(cgroupRoot, controller)
	for _, line := range cgroupLines(t) {
		if fields := strings.SplitN(line, ":", 3); len(fields) == 3 && slices.Contains(strings.Split(fields[1], ","), controller) {
			if own := filepath.Join(root, fields[2]); isFolder(own) {
				return own
			}
		}
	}
	if !isFolder(root) {
		t.Fatalf("no cgroup for the gate: %s has neither cgroup.controllers (version 2) nor %s (version 1): mount cgroups there", cgroupRoot, controller)
	}
	return root
}

// delegating is the nearest cgroup of version 2, at or above this process's, that hands out the controllers.
func delegating(t *testing.T) string {
	t.Helper()
	own := "/"
	for _, line := range cgroupLines(t) {
		if path, found := strings.CutPrefix(line, "0::"); found {
			own = path
		}
	}
	for folder := filepath.Join(cgroupRoot, own); strings.HasPrefix(folder, cgroupRoot); folder = filepath.Dir(folder) {
		text, _ := os.ReadFile(filepath.Join(folder, "cgroup.subtree_control")) // Absent: not visible from here.
		if have := strings.Fields(string(text)); slices.Contains(have, "memory") && slices.Contains(have, "cpu") {
			return folder
		}
	}
	t.Fatalf("no cgroup for the gate: none from %s%s upwards hands out memory and cpu: "+
		"move the processes out of one of them and run: echo +memory +cpu > cgroup.subtree_control", cgroupRoot, own)
	return ""
}

func cgroupLines(t *testing.T) (lines []string) {
	t.Helper()
	file, err := os.Open("/proc/self/cgroup")
	must(t, err)
	defer file.Close()
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		lines = append(lines, scanner.Text())
	}
	return lines
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// peak is the most memory that the cgroup ever had, in bytes: page cache and the kernel's buffers included.
func (g *cgroup) peak(t *testing.T) int64 {
	t.Helper()
	file := map[int]string{1: "memory.max_usage_in_bytes", 2: "memory.peak"}[g.version]
	text, err := os.ReadFile(filepath.Join(g.memory, file))
	must(t, err)
	bytes, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	must(t, err)
	return bytes
}

// oomKills is how many processes the kernel has ended for want of memory.
func (g *cgroup) oomKills(t *testing.T) int {
	t.Helper()
	file := map[int]string{1: "memory.oom_control", 2: "memory.events"}[g.version]
	text, err := os.ReadFile(filepath.Join(g.memory, file))
	must(t, err)
	for line := range strings.Lines(string(text)) {
		if count, found := strings.CutPrefix(line, "oom_kill "); found {
			kills, err := strconv.Atoi(strings.TrimSpace(count))
			must(t, err)
			return kills
		}
	}
	t.Fatalf("%s does not count oom_kill: it needs Linux 4.13", file)
	return 0
}
