package pod

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is a program that serves.
type Process struct {
	PID  int
	kill func()
}

// Start runs a program until the test has ended. What it writes is appended to a log.
func Start(t *testing.T, log string, environment []string, command ...string) *Process {
	t.Helper()
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	// Not bound to t.Context, which ends before clean-ups run: what is asked of it there must find it alive.
	process := exec.Command(command[0], command[1:]...) //nolint:noctx // See above.
	process.Env = append(os.Environ(), environment...)
	process.Stdout, process.Stderr = file, file
	if err := process.Start(); err != nil {
		t.Fatalf("start %s: %v", command[0], err)
	}
	p := &Process{PID: process.Process.Pid, kill: sync.OnceFunc(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	})}
	t.Cleanup(p.kill)
	return p
}

// Kill ends the process without a word (SIGKILL) and waits until it is gone.
func (p *Process) Kill() { p.kill() }

// Memory is what a process has resident, and the most that it ever had, in bytes.
type Memory struct{ Now, Peak int64 }

// MemoryOf reads the memory of a process (proc(5), VmRSS and VmHWM).
func MemoryOf(pid int) (Memory, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Memory{}, err
	}
	var memory Memory
	for line := range strings.Lines(string(raw)) {
		name, value, _ := strings.Cut(line, ":")
		into, wanted := map[string]*int64{"VmRSS": &memory.Now, "VmHWM": &memory.Peak}[name]
		if !wanted {
			continue
		}
		kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			return Memory{}, fmt.Errorf("%s of process %d: %w", name, pid, err)
		}
		*into = kilobytes << 10
	}
	if memory.Now == 0 {
		return Memory{}, fmt.Errorf("process %d has no memory: it has ended", pid)
	}
	return memory, nil
}

// ForgetPeak begins to watch for the most memory anew.
func ForgetPeak(pid int) error {
	const resetPeak = "5" // proc(5), /proc/PID/clear_refs
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte(resetPeak), 0)
}

// CPUOf is the processor time of a process so far: of this one exactly, of others in ticks of 10 ms (proc(5), stat).
func CPUOf(t *testing.T, pid int) time.Duration {
	t.Helper()
	if pid == os.Getpid() {
		var usage syscall.Rusage
		check(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
		return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	check(t, err)
	_, after, _ := strings.Cut(string(raw), ") ")
	fields := strings.Fields(after)
	const utime, stime, tick = 11, 12, 10 * time.Millisecond
	var sum time.Duration
	for _, field := range []int{utime, stime} {
		ticks, err := strconv.Atoi(fields[field])
		check(t, err)
		sum += time.Duration(ticks) * tick
	}
	return sum
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
