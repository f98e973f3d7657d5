package diagnosis_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
)

var update = flag.Bool("update", false, "write the golden file anew")

// outputs are what real processes printed when they could not start, by name.
func outputs(t *testing.T) (names []string, texts map[string]string) {
	t.Helper()
	files, err := filepath.Glob("testdata/lastwords/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no outputs", err)
	}
	texts = map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		names, texts[name] = append(names, name), string(text)
	}
	return names, texts
}

// What is quoted of each output is in one file, to be read from top to bottom.
func TestLastWordsOfRealProcesses(t *testing.T) {
	const golden = "testdata/lastwords/golden"
	var got strings.Builder
	names, texts := outputs(t)
	for _, name := range names {
		fmt.Fprintf(&got, "%s\n    %s\n", name, diagnosis.LastWords(texts[name]))
	}
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("run with -update, and look at the difference\ngot:\n%s", got.String())
	}
}

// causes has for each output the word that its reader needs.
var causes = map[string]string{
	"go-deadlock": "deadlock", "go-fatal": "CATALOG_URL", "go-flag": "-catalog", "go-maps": "concurrent map writes",
	"go-nil": "nil pointer dereference", "go-panic": "CATALOG_URL", "go-panicerr": "catalog.url", "go-port": "address already in use",
	"go-slog": "10.0.0.7:5432: connect: connection refused", "go-slogtext": "CATALOG_URL",
	"java-bind": "Address already in use", "java-caused": "CATALOG_URL", "java-noclass": "Tools", "java-nojar": "/app/app.jar",
	"java-npe": "is null", "java-plain": "CATALOG_URL", "java-static": "CATALOG_URL",
	"node-cause": "in JSON at position 1", "node-colors": "OPENAI_API_KEY", "node-console": "TOOLS_API_KEY",
	"node-mcp-brave": "BRAVE_API_KEY", "node-mcp-filesystem-nodir": "None of the specified directories", "node-mcp-filesystem": "directory must be provided",
	"node-mcp-gitlab": "GITLAB_PERSONAL_ACCESS_TOKEN", "node-mcp-maps": "GOOGLE_MAPS_API_KEY", "node-mcp-postgres": "database URL",
	"node-mcp-slack": "SLACK_BOT_TOKEN and SLACK_TEAM_ID", "node-nofile": "/app/dist/index.js", "node-nomodule-esm": "@acme/tools",
	"node-nomodule": "@acme/tools", "node-npm-start": "Missing script", "node-port": "127.0.0.1:18433", "node-reject": "TOOLS_BASE_URL",
	"node-syntax": "Unexpected token", "node-throw": "CATALOG_URL", "node-zod": "CATALOG_URL",
	"python-argparse": "--catalog-url", "python-chained": "/etc/mcp/settings.json", "python-dotenv": "CATALOG_URL, REGISTRY_URL",
	"python-during-handling": "PORT", "python-exit-message": "TOOLS_API_KEY", "python-fastmcp-lifespan": "CATALOG_URL",
	"python-fastmcp-missing": "TOOLS_TOKEN", "python-fastmcp-port": "18432): address already in use", "python-groups": "10.0.0.7",
	"python-gunicorn-import": "DATABASE_URL", "python-gunicorn-port": "Address already in use", "python-handled-then-fatal": "database_url",
	"python-jsonlog": "CATALOG_URL", "python-keyerror": "CATALOG_URL", "python-logging": "DATABASE_URL", "python-mcp-atlassian": "'--transport'",
	"python-mcp-qdrant": "all-MiniLM-L6-v2", "python-mcp-sentry": "McpError", "python-module": "fastmpc", "python-nofile": "/app/server.py",
	"python-nomodule": "No module named tools", "python-permission": "/app/ro/state.db", "python-pydantic-settings": "api_token",
	"python-pydantic": "api_key: Field required", "python-sdk-lifespan": "GITHUB_TOKEN", "python-syntax": "invalid syntax", "python-uvicorn-attr": "application",
	"python-uvicorn-import": "SESSION_SECRET", "python-uvicorn-lifespan": "REDIS_URL", "python-uvicorn-port": "18436): address already in use",
	"perl-die": "CATALOG_URL", "rust-backtrace": "CATALOG_URL", "rust-panic": "CATALOG_URL", "rust-result": "CATALOG_URL",
	"quilt-0.14":       "QUILT_CATALOG_URL environment variable; Multiuser mode requires QUILT_REGISTRY_URL",
	"quilt-0.17-local": "QUILT_CATALOG_URL environment variable; Platform backend requires QUILT_REGISTRY_URL", "quilt-0.21-no-registry": "QUILT_REGISTRY_URL",
	"quilt-0.21-remote": "QUILT_CATALOG_URL environment variable; Platform backend requires QUILT_REGISTRY_URL", "quilt-0.22-local": "QUILT_CATALOG_URL",
	"quilt-0.22-remote": "QUILT_CATALOG_URL", "shell-colon": "CATALOG_URL", "shell-execfmt": "Exec format error", "shell-mkdir": "/proc/cache",
	"shell-notfound": "tools-server", "shell-unset": "CATALOG_URL",
}

// notCauses are banners, hints and frames of stacks in those outputs.
var notCauses = []string{
	"STARTUP ERROR", "Error Type", "Troubleshooting", "MCP_JWT_ISSUER", "uvx quilt-mcp", "Traceback", "File \\\"", "    at ", "goroutine 1", "Usage", "usage:",
	"gofastmcp.com", "further information", "input_value", "Copy .env", "Get one at", "shutting down", "Worker failed to boot", "bye",
}

func TestTheCauseIsQuotedAndNoHint(t *testing.T) {
	names, texts := outputs(t)
	for _, name := range names {
		got := diagnosis.LastWords(texts[name])
		if cause := causes[name]; cause == "" || !strings.Contains(got, cause) {
			t.Errorf("%s: want %q in %s", name, cause, got)
		}
		for _, other := range notCauses {
			if strings.Contains(got, other) {
				t.Errorf("%s: %q in %s", name, other, got)
			}
		}
	}
}

// The kubelet keeps the end of a log, and cuts in the middle of a line if that is where its limit is.
func TestTheCauseIsQuotedOfACutOutput(t *testing.T) {
	names, texts := outputs(t)
	for _, name := range names {
		text, cause := texts[name], causes[name]
		reach := min(strings.LastIndex(text, cause), strings.LastIndex(text, strings.Split(cause, ": ")[0]))
		if reach < 0 || name == "node-zod" {
			continue // It is put together from more than one place.
		}
		reach = strings.LastIndex(text[:reach], "\n") + 1 // The line with the cause is whole.
		const stride = 211                                // A prime: the cuts meet lines at all their places.
		for cut := 0; cut < reach; cut += stride {
			if got := diagnosis.LastWords(text[cut:]); !strings.Contains(got, cause) {
				t.Errorf("%s without its first %d bytes: want %q in %s", name, cut, cause, got)
				break
			}
		}
	}
}

// What is not among the outputs: runtimes and loggers that are not at hand, in the form of their messages.
func TestTheCauseIsQuotedOfOtherRuntimes(t *testing.T) {
	for said, want := range map[string]string{
		"/app/server.rb:3:in `fetch': key not found: \"CATALOG_URL\" (KeyError)\n\tfrom /app/server.rb:3:in `<main>'\n":                                                       "CATALOG_URL",
		"Unhandled exception. System.InvalidOperationException: CATALOG_URL is not set\n   at Program.Main(String[] args) in /src/Program.cs:line 5\n":                        "CATALOG_URL",
		"PHP Fatal error:  Uncaught RuntimeException: CATALOG_URL is not set in /app/a.php:3\nStack trace:\n#0 {main}\n  thrown in /app/a.php on line 3\n":                    "CATALOG_URL",
		"****\nAPPLICATION FAILED TO START\n****\n\nDescription:\n\nWeb server failed to start. Port 8080 was already in use.\n\nAction:\n\nStop the process on port 8080.\n": "Port 8080 was already in use",
		"2026-11-29T10:00:01.000Z ERROR 1 --- [main] App : Application run failed\nx.BeanCreationException: Error creating bean with name 'x'\n\tat a.b.C.d(C.java:1)\n" +
			"Caused by: java.lang.IllegalArgumentException: Could not resolve placeholder 'catalog.url'\n\tat a.b.C.d(C.java:2)\n\t... 12 more\n": "catalog.url",
		`{"level":50,"time":1732882156123,"err":{"type":"Error","message":"CATALOG_URL missing","stack":"Error: x\n at y"},"msg":"cannot start"}`:                           "cannot start: CATALOG_URL missing",
		`{"level":"fatal","ts":1732882156.1,"caller":"main.go:5","msg":"bad config","error":"CATALOG_URL: missing","stacktrace":"main.main"}`:                               "bad config: CATALOG_URL: missing",
		"F1129 10:00:00.000000       1 main.go:12] unable to load config: open /etc/tools/config.yaml: no such file or directory\n":                                         "/etc/tools/config.yaml",
		"Error: Invalid configuration:\n  * CATALOG_URL: required\n  * PORT: must be a number\n\nSee README.md#configuration\n":                                             "CATALOG_URL: required, PORT: must be a number",
		"/docker-entrypoint.sh: line 12: /app/start.sh: Permission denied\n":                                                                                                "/app/start.sh: Permission denied",
		"sqlalchemy.exc.OperationalError: connection to server at \"db\" failed: FATAL:  password authentication failed for user \"tools\"\n\n(Background on this error)\n": "authentication failed for user",
	} {
		if got := diagnosis.LastWords(said); !strings.Contains(strings.ReplaceAll(got, `\"`, `"`), want) {
			t.Errorf("want %q in %s", want, got)
		}
	}
}

// Whatever a container prints, its words are short, in one line, in quotes, and none where it said nothing.
func FuzzLastWords(f *testing.F) {
	f.Add("Traceback (most recent call last):\n  File \"x\", line 1\nKeyError: 'X'")
	f.Add("a:\n- b\n- c\n{\"level\":\"error\",\"msg\":\"x\"}\nZodError: [\n]\n")
	f.Add(" \n")
	f.Fuzz(func(t *testing.T, said string) {
		got := diagnosis.LastWords(said)
		if strings.ContainsAny(got, "\n\x1b\x00") || len([]rune(got)) > 4*400 {
			t.Errorf("%q gives %q", said, got)
		}
		if got != "" && !strings.HasPrefix(got, `"`) {
			t.Errorf("%q gives %s", said, got)
		}
	})
}
