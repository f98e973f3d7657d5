package diagnosis_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
)

const planted = "Zx9Kq2LmT7vB4nW8sY3dF6hJ"

func TestNoPlantedSecretSurvives(t *testing.T) {
	for _, text := range []string{
		"Authorization: Bearer " + planted,
		"authorization: basic " + planted,
		"got token=" + planted,
		"got TOKEN: '" + planted + "'",
		`{"client_secret": "` + planted + `"}`,
		"DB_PASSWORD=" + planted,
		"api-key: " + planted,
		"Cookie: session=" + planted,
		"postgres://user:" + planted + "@db:5432/x",
		"GET https://api.example.com/v1?sig=" + planted,
		"jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ" + planted + ".c2ln" + planted,
		"-----BEGIN PRIVATE KEY-----\n" + planted + "\n-----END PRIVATE KEY-----",
		"-----BEGIN EC PRIVATE KEY-----\n" + planted,
		"raw " + planted,
		"AKIA" + "ABCDEFGHIJKLMNOP " + planted,
		"dsn=" + planted + ";x",
		"token=\u200b" + planted,
	} {
		if got := diagnosis.Redact(text); strings.Contains(got, planted) || strings.Contains(got, planted[:12]) {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestNamesSurvive(t *testing.T) {
	for _, text := range []string{
		"Multiuser mode requires QUILT_CATALOG_URL environment variable",
		"Multiuser mode requires QUILT_REGISTRY_URL environment variable",
		"missing MCP_JWT_SECRET",
		"listen tcp 127.0.0.1:8000: bind: address already in use",
		"open /etc/configuration/application/settings.yaml: no such file or directory",
	} {
		if got := diagnosis.Redact(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestTextCannotForgeOrHide(t *testing.T) {
	if got := diagnosis.Redact("a\x1b[31mred\u202eabc\u200bdef\x00"); got != "a[31mredabcdef" {
		t.Errorf("got %q", got)
	}
}

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
	if got := diagnosis.LastWords("error " + strings.Repeat("long ", 100)); len([]rune(got)) > 260 {
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
