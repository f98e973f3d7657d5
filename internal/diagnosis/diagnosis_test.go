package diagnosis_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
)

func TestLastWordsNameTheCause(t *testing.T) {
	said := "Starting server\nDetails: Invalid configuration: Multiuser mode requires CATALOG_URL environment variable\n\n" +
		"Troubleshooting:\n  see the manual\n"
	if got := diagnosis.LastWords(said); !strings.Contains(got, "CATALOG_URL") {
		t.Errorf("got %s", got)
	}
	if got := diagnosis.LastWords("one\ntwo\nthree\n"); got != `"two | three"` {
		t.Errorf("without a telling line: got %s", got)
	}
	if got := diagnosis.LastWords(" \n"); got != "" {
		t.Errorf("nothing said: got %s", got)
	}
	if got := diagnosis.LastWords("error " + strings.Repeat("long ", 100)); len([]rune(got)) > 322 {
		t.Errorf("%d characters", len([]rune(got)))
	}
}

func TestExit(t *testing.T) {
	for _, c := range []struct {
		state    corev1.ContainerStateTerminated
		restarts int32
		want     string
	}{
		{corev1.ContainerStateTerminated{ExitCode: 1, Message: "fatal: no PORT"}, 1,
			`container mcp exited with code 1, after 1 restart; the container said: "fatal: no PORT"`},
		{corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}, 2,
			"container mcp was killed because it used more memory than its limit (OOMKilled): raise resources.limits.memory, after 2 restarts"},
		{corev1.ContainerStateTerminated{ExitCode: 139}, 0, "container mcp exited with code 139 (signal 11)"},
		{corev1.ContainerStateTerminated{ExitCode: 0}, 0, "container mcp exited with code 0, although a server must not end"},
	} {
		if got := diagnosis.Exit("mcp", c.state, c.restarts); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
