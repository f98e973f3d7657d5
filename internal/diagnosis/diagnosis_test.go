package diagnosis_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	start := diagnosis.Start{Limit: 2 * time.Minute, Wants: "the server listens on 127.0.0.1:8000", Advice: "Check port."}
	begun := metav1.NewTime(time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC))
	after := func(d time.Duration, code int32) corev1.ContainerStateTerminated {
		return corev1.ContainerStateTerminated{ExitCode: code, Reason: "Error", StartedAt: begun, FinishedAt: metav1.NewTime(begun.Add(d))}
	}
	for _, c := range []struct {
		state    corev1.ContainerStateTerminated
		restarts int32
		want     string
	}{
		{corev1.ContainerStateTerminated{ExitCode: 1, Message: "fatal: no PORT"}, 1,
			`container mcp exited with code 1, after 1 restart; the container said: "fatal: no PORT"`},
		{corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}, 2,
			"container mcp was killed because it used more memory than its limit (OOMKilled), after 2 restarts. Raise resources.limits.memory."},
		{corev1.ContainerStateTerminated{ExitCode: 139}, 0, "container mcp was ended by signal 11 (SIGSEGV)"},
		{corev1.ContainerStateTerminated{ExitCode: 0}, 0, "container mcp exited with code 0, as if its work was done. " +
			"A server that speaks MCP over stdio ends like that, because nothing writes to its standard input: have it serve HTTP, with args or env."},
		{after(121*time.Second, 143), 3, "container mcp was ended by signal 15 (SIGTERM) 2m1s after its start, which is when the kubelet gives up: " +
			"its startup probe waits 2m0s until the server listens on 127.0.0.1:8000, after 3 restarts. Check port."},
		{after(151*time.Second, 137), 0, "container mcp was ended by signal 9 (SIGKILL) 2m31s after its start, which is when the kubelet gives up: " +
			"its startup probe waits 2m0s until the server listens on 127.0.0.1:8000. Check port."},
		{after(10*time.Second, 143), 0, "container mcp was ended by signal 15 (SIGTERM)"},
		{after(time.Hour, 137), 0, "container mcp was ended by signal 9 (SIGKILL)"},
		{corev1.ContainerStateTerminated{ExitCode: 128, Reason: "StartError", Message: `exec: "tools": executable file not found in $PATH`}, 0,
			`container mcp could not be started; the container said: "exec: \"tools\": executable file not found in $PATH". ` +
				"Check command: it must name a program that the image has."},
		{corev1.ContainerStateTerminated{ExitCode: 126, Message: "run.sh: 2: exec: /app/tools: Exec format error"}, 0,
			`container mcp exited with code 126, which says that a command cannot be run; the container said: "run.sh: 2: exec: /app/tools: Exec format error". ` +
				"The image is for another architecture than the node's, or its entrypoint is a script without a first line such as #!/bin/sh."},
	} {
		if got := diagnosis.Exit("mcp", c.state, c.restarts, start); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestWaiting(t *testing.T) {
	pull := func(image, end string) string {
		return `Back-off pulling image "` + image + `": ErrImagePull: rpc error: code = Unknown desc = failed to pull and unpack image "` + image +
			`": failed to resolve reference "` + image + `": ` + end
	}
	const deep = "registry.internal.example.com:5000/platform-team/model-context-protocol/servers/tools-server-with-a-long-name@sha256:" +
		"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	for name, c := range map[string]struct {
		reason, message, begins, ends string
	}{
		"not found":    {"ImagePullBackOff", pull(deep, deep+": not found"), "container mcp cannot start: ImagePullBackOff: Back-off pulling image", ": not found"},
		"unauthorized": {"ErrImagePull", pull(deep, "pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials"), "container mcp cannot start: ErrImagePull", "no basic auth credentials"},
		"unknown authority": {"ErrImagePull", pull(deep, `failed to do request: Head "https://registry.internal.example.com:5000/v2/x/manifests/1": tls: failed to verify certificate: x509: certificate signed by unknown authority`),
			"container mcp cannot start", "x509: certificate signed by unknown authority"},
		"root": {"CreateContainerConfigError", `container has runAsNonRoot and image will run as root (pod: "tools-7d9c5b8f6d-x2k4z_team-a(3f2504e0-4f89-11d3-9a0c-0305e82c3301)", container: mcp)`,
			`container mcp cannot start: CreateContainerConfigError: container has runAsNonRoot and image will run as root (pod: "tools-7d9c5b8f6d-x2k4z_team-a(3f2504e0-4f89-11d3-9a0c-0305e82c3301)", container: mcp).`,
			"The image runs as root: set pod.securityContext.runAsUser to a number other than 0, of a user that can read what the image needs."},
		"a named user": {"CreateContainerConfigError", `container has runAsNonRoot and image has non-numeric user (node), cannot verify user is non-root (pod: "a_b(c)", container: mcp)`,
			"container mcp cannot start: CreateContainerConfigError: container has runAsNonRoot and image has non-numeric user (node)",
			"The image names its user node, and the kubelet needs a number to see that it is not root: set pod.securityContext.runAsUser to the number of that user (docker run --rm --entrypoint id IMAGE -u)."},
		"a key":  {"CreateContainerConfigError", "couldn't find key MCP_JWT_SECRET in Secret team-a/quilt-jwt", "container mcp cannot start", "couldn't find key MCP_JWT_SECRET in Secret team-a/quilt-jwt"},
		"silent": {"CrashLoopBackOff", "", "container mcp cannot start: CrashLoopBackOff", "CrashLoopBackOff"},
	} {
		got := diagnosis.Waiting("mcp", corev1.ContainerStateWaiting{Reason: c.reason, Message: c.message})
		if !strings.HasPrefix(got, c.begins) || !strings.HasSuffix(got, c.ends) || strings.Contains(got, "[redacted]") || len(got) > 800 {
			t.Errorf("%s: got %s", name, got)
		}
	}
}
