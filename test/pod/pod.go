// Package pod runs the programs of a pod as they are shipped, each in a process of its own on this machine, with the files
// that the operator would mount: for tests that ask from outside.
//
// It must not know what is asked, nor what is the right answer.
package pod

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Patience is how long a program may take to begin to serve, and to end.
const Patience = 30 * time.Second

// Loopback is host:port of a port on this host.
func Loopback(port int32) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))) }

// FreePorts gives ports that nobody listened on a moment ago, all different.
func FreePorts(t *testing.T, count int) []int32 {
	t.Helper()
	ports := make([]int32, count)
	for i := range ports {
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", ":0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		n, _ := strconv.ParseInt(port, 10, 32) // It is one that the kernel gave.
		ports[i] = int32(n)
	}
	return ports
}

// Mount replaces a file in one step, as the kubelet does.
func Mount(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	aside := filepath.Join(dir, "."+name)
	if err := os.WriteFile(aside, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(aside, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

// Eventually asks until the answer is yes, and ends the test if it is not within Patience.
func Eventually(t *testing.T, what string, ask func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !ask(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", Patience, what)
		}
	}
}
