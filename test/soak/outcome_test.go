//go:build soak

package soak

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

// outcome is what a siege came to.
type outcome struct {
	alive          bool // as the same process, which answers
	rss, peak      int64
	limit          int64
	kills          int
	calm, attacked *answered
	askedAgain     int // requests of good clients whose connection was closed before an answer
	broken         int // streams of good clients
}

func (s *siege) outcome(clients *users, calm, attacked *answered) outcome {
	s.t.Helper()
	memory, err := pod.MemoryOf(s.gate.PID)
	o := outcome{
		rss: max(s.rss, memory.Peak), peak: s.group.peak(s.t), limit: s.group.limit, kills: s.group.oomKills(s.t),
		calm: calm, attacked: attacked, askedAgain: int(clients.askedAgain.Load()), broken: clients.broken(),
	}
	if err == nil {
		o.alive = s.answers()
	}
	return o
}

// answers reports whether the gate answers its liveness probe.
func (s *siege) answers() bool {
	ctx, cancel := context.WithTimeout(s.t.Context(), pod.Patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.gate.Admin()+"/livez", http.NoBody)
	must(s.t, err)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func (o outcome) row(name string, got map[string]int) []any {
	ratio := float64(o.attacked.p99()) / float64(max(1, o.calm.p99()))
	return []any{
		name, o.alive, mebibytes(o.rss), 100 * float64(o.rss) / float64(o.limit), mebibytes(o.peak), o.kills,
		len(o.calm.took) + len(o.attacked.took), o.calm.bad() + o.attacked.bad(), o.askedAgain, o.broken,
		o.calm.p99(), o.attacked.p99(), ratio, inOrder(got),
	}
}

func (o outcome) judge(t *testing.T, limit int64, crowd bool) {
	t.Helper()
	most := int64(memoryShare * float64(limit))
	if !o.alive || o.kills > 0 {
		t.Errorf("the gate is alive: %t; processes ended for want of memory: %d", o.alive, o.kills)
	}
	if o.rss > most {
		t.Errorf("it had %.1f MiB resident, more than %.1f", mebibytes(o.rss), mebibytes(most))
	}
	if o.peak > most {
		t.Errorf("its cgroup had %.1f MiB, more than %.1f", mebibytes(o.peak), mebibytes(most))
	}
	if o.calm.bad() > 0 || o.calm.verdicts[accepted] == 0 {
		t.Errorf("before the attack, good requests were answered %s", inOrder(o.calm.verdicts))
	}
	refused := o.attacked.bad()
	if crowd {
		refused -= o.attacked.verdicts[overloaded] + o.attacked.verdicts[tooMany] // the good clients of one kind are one caller
	}
	if refused > 0 || o.attacked.verdicts[accepted] == 0 {
		t.Errorf("beside the attack, good requests were answered %s", inOrder(o.attacked.verdicts))
	}
	if 100*o.askedAgain > len(o.attacked.took) {
		t.Errorf("%d of %d good requests met the end of their connection", o.askedAgain, len(o.attacked.took))
	}
	if o.broken > 0 {
		t.Errorf("%d streams of good clients broke", o.broken)
	}
}

// broken is an error of a connection in a word, without addresses, so that equal ones are counted together.
func broken(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "closed"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "no answer in time"
	default:
		return regexp.MustCompile(`[0-9.]+:[0-9]+|\d{2,}`).ReplaceAllString(err.Error(), "#")
	}
}

// containedScript is hack/contained.
func containedScript() string { return filepath.Join("..", "..", "hack", "contained") }

// mustKnowItsLimit fails unless the gate sees the limit at the place where a container has it.
func (s *siege) mustKnowItsLimit() {
	s.t.Helper()
	file := map[int]string{1: "memory/memory.limit_in_bytes", 2: "memory.max"}[s.group.version]
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(s.gate.PID), "root", cgroupRoot, file))
	must(s.t, err)
	if seen, err := strconv.ParseInt(string(text[:len(text)-1]), 10, 64); err != nil || seen != s.group.limit {
		s.t.Fatalf("the gate sees the limit %q in %s, not %d", text, file, s.group.limit)
	}
	members, err := os.Open(filepath.Join(s.group.memory, "cgroup.procs"))
	must(s.t, err)
	defer members.Close()
	var pids []string
	for lines := bufio.NewScanner(members); lines.Scan(); {
		pids = append(pids, lines.Text())
	}
	if fmt.Sprint(pids) != fmt.Sprint([]int{s.gate.PID}) {
		s.t.Fatalf("in the gate's cgroup are %v, not %d alone", pids, s.gate.PID)
	}
}
