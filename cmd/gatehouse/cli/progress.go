package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// patience is how long nothing is said of something that takes its time.
const patience = 2 * time.Second

// WaitingForCluster is what is said of an API server that does not answer at once.
const WaitingForCluster = "Waiting for the cluster's API server. --request-timeout bounds that."

// AnnounceSlow says on a terminal, after patience, what is being waited for. stop ends that; nothing is written after it.
func AnnounceSlow(out io.Writer, text string) (stop func()) {
	if !isTerminal(out) {
		return func() {}
	}
	return afterPatience(out, text)
}

func afterPatience(out io.Writer, text string) (stop func()) {
	var mu sync.Mutex
	stopped := false
	timer := time.AfterFunc(patience, func() {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			fmt.Fprintln(out, text)
		}
	})
	return func() {
		timer.Stop()
		mu.Lock()
		defer mu.Unlock()
		stopped = true
	}
}

// isTerminal reports whether a person reads what is written there.
func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
