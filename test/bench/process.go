package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program that was started here.
type process struct {
	*exec.Cmd

	log string
}

// start runs a program until it is stopped. Its output goes into a log.
func (b *bench) start(ctx context.Context, name string, env []string, program string, args ...string) (*process, error) {
	p := &process{Cmd: exec.CommandContext(ctx, program, args...), log: filepath.Join(b.dir, name+".log")}
	file, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	p.Stdout, p.Stderr = file, file
	p.Env = append(os.Environ(), env...)
	if err := p.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	b.processes = append(b.processes, p)
	return p, nil
}

// startSelf runs another part of this program.
func (b *bench) startSelf(ctx context.Context, name string, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return b.start(ctx, name, nil, self, args...)
}

func (p *process) stop() {
	_ = p.Process.Signal(syscall.SIGKILL) // It may have ended by itself.
	_ = p.Wait()
}

// cpu is the time that the process has spent, in user and in kernel.
func (p *process) cpu() (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The name, in parentheses, may hold anything; state is the first field behind it (proc(5)).
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	const user, system, ticksPerSecond = 11, 12, 100
	ticks := 0
	for _, field := range []string{fields[user], fields[system]} {
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

// memory is what the process has resident, in bytes.
func (p *process) memory() (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if value, found := strings.CutPrefix(line, "VmRSS:"); found {
			kilobytes, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("no VmRSS of process %d", p.Process.Pid)
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress() (string, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// within waits until something holds, for startLimit at most.
func within(what string, holds func() bool) error {
	for end := time.Now().Add(startLimit); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("%s: not within %s", what, startLimit)
		}
	}
	return nil
}

func listens(address string) func() bool {
	return func() bool {
		conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}
}
