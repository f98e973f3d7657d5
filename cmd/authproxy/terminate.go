package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// terminateSignal tells a gate that its pod is ending. A signal reaches the processes of the gate's own container only: the
// pod's containers share a network, not their processes, and a socket of the network would have to ask for a proof.
const terminateSignal = syscall.SIGUSR1

// gatePID is the gate's in its container, where nothing else is started first.
const gatePID = 1

var errNotTheGate = errors.New("that process is not a gate of this program: run this in the gate's own container")

// terminate is gateapi.TerminateCommand: it signals the gate and returns the exit code.
func terminate(pid int, stderr io.Writer) int {
	if err := signalGate(pid); err != nil {
		fmt.Fprintf(stderr, "cannot tell process %d that the pod is ending: %v\n", pid, err)
		return exitFailed
	}
	return exitOK
}

// signalGate signals a process that runs the same program as this one, and no other: the signal may mean anything to those.
func signalGate(pid int) error {
	own, err := os.Stat("/proc/self/exe")
	if err != nil {
		return err
	}
	other, err := os.Stat(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return err
	}
	if pid == os.Getpid() || !os.SameFile(own, other) {
		return errNotTheGate
	}
	return syscall.Kill(pid, terminateSignal)
}
