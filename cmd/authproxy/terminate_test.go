package main

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The hook makes the gate say goodbye: its answers close their connections.
func TestTerminateHookReachesTheGate(t *testing.T) {
	command, client, _, stderr := startedGate(t)
	defer func() {
		must(t, command.Process.Signal(syscall.SIGTERM))
		must(t, command.Wait())
	}()
	closes := func() bool {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, client, http.NoBody)
		must(t, err)
		response, err := http.DefaultClient.Do(r)
		must(t, err)
		response.Body.Close()
		return response.Close
	}
	if closes() {
		t.Fatal("the gate is ending before it was told to")
	}
	if code := terminate(command.Process.Pid, stderr); code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for deadline := time.Now().Add(20 * time.Second); !closes(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the gate never heard of it")
		}
	}
}

// A process that is no gate is left alone: SIGUSR1 ends most.
func TestTerminateHookSignalsNothingElse(t *testing.T) {
	other := exec.CommandContext(t.Context(), "sleep", "60")
	must(t, other.Start())
	defer func() {
		must(t, other.Process.Kill())
		_ = other.Wait()
	}()
	var stderr bytes.Buffer
	if code := terminate(other.Process.Pid, &stderr); code != exitFailed || !strings.Contains(stderr.String(), "not a gate") {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
	if code := terminate(os.Getpid(), &stderr); code != exitFailed {
		t.Errorf("itself: exit code %d", code)
	}
	const noProcess = 1 << 30
	if code := terminate(noProcess, &stderr); code != exitFailed {
		t.Errorf("a process that is not there: exit code %d", code)
	}
	if err := syscall.Kill(other.Process.Pid, 0); err != nil {
		t.Errorf("the other process was ended: %v", err)
	}
	// As the kubelet runs it: where process 1 is another program, it fails and says so.
	command, _, said := authproxyCommand(t, "terminate")
	_ = command.Run()
	if command.ProcessState.ExitCode() != exitFailed || !strings.Contains(said.String(), "process 1") {
		t.Errorf("exit code %d, stderr %q", command.ProcessState.ExitCode(), said)
	}
}
