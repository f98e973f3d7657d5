//go:build conformance

package conformance

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// client is one that nobody here wrote, with what it is told to do.
type client struct {
	name string
	// ask has it visit a site with a token. It gives what its user sees.
	ask func(t *testing.T, at site, token string) (seen string, code int)
	// steps is how many lines it writes.
	steps int
	// fails are the steps that go wrong with a server of this name, gate or not: all ask for a tool that is not there,
	// some for what one revision of the protocol has and another has not.
	fails map[string][]string
	// says is what it tells about an expired token, if that is not what the gate says.
	says string
}

var clients = []client{
	{
		name: "Go SDK", ask: tour(func(*testing.T) []string { return []string{bin("sdkclient")} }), steps: 15,
		fails: map[string][]string{"stateful": {"tools/call of no_such_tool"}, "stateless": {"tools/call of no_such_tool"}},
	},
	{
		name: "TypeScript SDK 1", ask: tour(script("ts1.mjs")), steps: 17,
		fails: map[string][]string{
			"stateful":  {"tools/call of no tool"},
			"stateless": {"tools/call of no tool", "tools/call that needs input"},
		},
	},
	{
		name: "TypeScript SDK 2", ask: tour(script("ts2.mjs")), steps: 17,
		fails: map[string][]string{
			"stateful":  {"tools/call of no tool"},
			"stateless": {"tools/call of no tool", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"},
		},
	},
	{name: "Inspector", steps: 4, ask: inspect(
		[]string{"--method", "tools/list"},
		[]string{"--method", "tools/call", "--tool-name", "test_tool_with_progress"},
		[]string{"--method", "resources/read", "--uri", "test://static-text"},
		[]string{"--method", "prompts/get", "--prompt-name", "test_simple_prompt"},
	)},
	{
		// Told to find out which revision the server speaks, it drops the body of a refusal.
		name: "Inspector, any revision", steps: 1, says: "the server requires authorization (HTTP 401)",
		ask: inspect([]string{"--protocol-era", "auto", "--method", "tools/list"}),
	},
}

// tour runs a client program of ours around an SDK.
func tour(command func(*testing.T) []string) func(*testing.T, site, string) (string, int) {
	return func(t *testing.T, at site, token string) (string, int) {
		t.Helper()
		return run(t, 2*time.Minute, []string{"MCP_URL=" + at.url, "MCP_TOKEN=" + token}, command(t)...)
	}
}

func script(name string) func(*testing.T) []string {
	return func(t *testing.T) []string {
		t.Helper()
		return []string{node(t), inNode(name)}
	}
}

// inspect runs the MCP Inspector, which does one thing at a time, and ends where it fails.
func inspect(tasks ...[]string) func(*testing.T, site, string) (string, int) {
	return func(t *testing.T, at site, token string) (seen string, code int) {
		t.Helper()
		command := []string{
			node(t), inNode("node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"),
			"--cli", at.url, "--transport", "http", "--format", "json", "--quiet", "--stored-auth-only",
		}
		if token != "" {
			command = append(command, "--header", "Authorization: Bearer "+token)
		}
		for _, task := range tasks {
			line, code := run(t, 2*time.Minute, nil, slices.Concat(command, task)...)
			seen += line
			if code != 0 {
				return seen, code
			}
		}
		return seen, 0
	}
}

// TestClients: through the gate a client's user sees what they see without, and with an expired token what the gate says.
func TestClients(t *testing.T) {
	for _, s := range []server{stateful, stateless} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			bare, gated := s.bare(t), s.gated(t)
			_, before := gated.requests(t)
			for _, c := range clients {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					c.compare(t, bare, gated, c.fails[s.name])
					c.expires(t, gated)
				})
			}
			t.Cleanup(func() {
				_, after := gated.requests(t)
				if refused := since(before, after); len(refused) != 1 || refused["expired"] == 0 {
					t.Errorf("the gate should have refused expired tokens and nothing else: %v", refused)
				}
			})
		})
	}
}

var failedStep = regexp.MustCompile(`(?m)^(.+): FAILED: `)

func (c client) compare(t *testing.T, bare, gated site, fails []string) {
	t.Helper()
	want, code := c.ask(t, bare, "")
	if code != 0 {
		t.Errorf("exit code %d without the gate", code)
	}
	if steps := strings.Count(want, "\n"); steps != c.steps {
		t.Errorf("%d steps instead of %d", steps, c.steps)
	}
	var failed []string
	for _, step := range failedStep.FindAllStringSubmatch(want, -1) {
		failed = append(failed, step[1])
	}
	if diff := gocmp.Diff(fails, failed); diff != "" {
		t.Errorf("failed steps without the gate (-want, +got):\n%s\n%s", diff, want)
	}
	got, code := c.ask(t, gated, gated.goodToken(t))
	if code != 0 {
		t.Errorf("exit code %d through the gate", code)
	}
	if diff := gocmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("what the user sees (-without the gate, +through it):\n%s", diff)
	}
}

// expired is what the gate says about such a token.
const expired = "the access token has expired: get a new one"

func (c client) expires(t *testing.T, gated site) {
	t.Helper()
	want := cmp.Or(c.says, expired)
	seen, code := c.ask(t, gated, gated.expiredToken(t))
	if code == 0 || !strings.Contains(seen, want) {
		t.Errorf("with an expired token the user should see %q; exit code %d, and they see:\n%s", want, code, seen)
	}
}
