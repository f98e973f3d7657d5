package serverprobe

import (
	"encoding/json"
	"encoding/pem"
	"encoding/xml"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli/clitest"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// TestProbe holds exit status and output against servers of every standing.
func TestProbe(t *testing.T) {
	gate, keyFile := lockedGate(t)
	shared := []string{"--key", clitest.File(t, "secret", secret), "--key-format=secret"}
	ofGate := []string{"--key", keyFile, "--issuer", issuer, "--audience", issuer}
	for name, c := range map[string]struct {
		url  string
		args []string
		code int
		says []string
	}{
		"a gate": {gate, ofGate, cli.ExitOK, []string{"Verdict: Locked", "held against the answers of Gatehouse's gate", "reason missing_token"}},
		"a gate, beat": {
			gate, append([]string{"--tier=beat"}, ofGate...), cli.ExitOK, []string{"Verdict: Locked"},
		},
		"a gate, taken for another's": {
			gate, append([]string{"--gate=no"}, ofGate...), cli.ExitOK, []string{"Verdict: Locked", "401 and 403 count as refusals"},
		},
		"a gate, for tokens of another audience": {
			gate, []string{"--key", keyFile, "--issuer", issuer, "--audience", "urn:other"}, cli.ExitFailed, []string{"Verdict: ValidRejected"},
		},
		"a gate, without a credential": {
			gate, nil, cli.ExitNotProven, []string{"Verdict: Inconclusive", "there was no good token to try", "give --key"},
		},
		"a server that checks tokens": {fake(t, "jwt="+secret), shared, cli.ExitOK, []string{"Verdict: Locked", "mcpfake 1.0.0"}},
		"one taken for a gate": {
			fake(t, "jwt="+secret), append([]string{"--gate=yes"}, shared...), cli.ExitFailed, []string{"FAIL   none", "reason missing_token"},
		},
		"an open server":            {fake(t, "open"), shared, cli.ExitFailed, []string{"Verdict: Open", "FAIL   none", "the lock does not hold"}},
		"one for strangers":         {fake(t, "open"), nil, cli.ExitFailed, []string{"Verdict: Open", "open to strangers"}},
		"any bearer, for strangers": {fake(t, "any-bearer"), nil, cli.ExitFailed, []string{"Verdict: Open", "ok     none"}},
		"a server that resets": {
			fake(t, "reset@no-token,jwt="+secret), shared, cli.ExitFailed, []string{"Verdict: Broken", "a connection reset"},
		},
		"nobody": {"http://127.0.0.1:1/mcp", shared, cli.ExitNotProven, []string{"Verdict: Unreachable", "connection refused"}},
		"nobody, for strangers": {
			"http://127.0.0.1:1/mcp", nil, cli.ExitNotProven, []string{"Verdict: Unreachable", "connection refused"},
		},
		"a clock that is off": {
			fake(t, "clock=10m,jwt="+secret+",rpc-error"), shared, cli.ExitNotProven, []string{"Verdict: ClockSkew", "tolerated: 30s"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := clitest.Run(t, NewCommand(), append([]string{"probe", c.url}, c.args...)...)
			if got.Code != c.code {
				t.Errorf("exit status %d, want %d", got.Code, c.code)
			}
			for _, text := range c.says {
				if !strings.Contains(got.Stdout, text) {
					t.Errorf("%q is not in the output", text)
				}
			}
			if t.Failed() {
				t.Logf("%s\n%s", got.Stdout, got.Stderr)
			}
		})
	}
}

// The tokens of quilt-mcp-server's catalog say by other claims than "sub" whose they are.
func TestProbeWithTokensOfQuilt(t *testing.T) {
	gate, keyFile := quiltGate(t)
	documented := []string{"probe", gate, "--key", keyFile, "--key-format=secret", "--bare", "--type=-", "--claim", `id="7"`, "--claim", `uuid="u"`}
	got := clitest.Run(t, NewCommand(), documented...)
	if got.Code != cli.ExitOK || !strings.Contains(got.Stdout, `the good token has no claim "sub" either`) {
		t.Errorf("without --identity-claim: exit status %d\n%s\n%s", got.Code, got.Stdout, got.Stderr)
	}
	got = clitest.Run(t, NewCommand(), append(documented, "--identity-claim", "id")...)
	if got.Code != cli.ExitOK || !strings.Contains(got.Stdout, "without id") || strings.Contains(got.Stdout, "FAIL") {
		t.Errorf("with --identity-claim: exit status %d\n%s\n%s", got.Code, got.Stdout, got.Stderr)
	}
	got = clitest.Run(t, NewCommand(), append(documented, "--identity-claim", "uuid")...)
	if got.Code != cli.ExitFailed || !strings.Contains(got.Stdout, "Verdict: Open") {
		t.Errorf("a claim that the gate does not ask for: exit status %d\n%s\n%s", got.Code, got.Stdout, got.Stderr)
	}
	got = clitest.Run(t, NewCommand(), append(documented, "--identity-claim", "sub")...)
	if got.Code != cli.ExitUsage || !strings.Contains(got.Stderr, "give it one with --claim sub=JSON") {
		t.Errorf("a claim that no good token has: exit status %d\n%s", got.Code, got.Stderr)
	}
}

// A token that somebody else made is taken from a file, from standard input or from the environment; it is never shown.
func TestProbeWithToken(t *testing.T) {
	gate, keyFile := lockedGate(t)
	good := goodToken(t, keyFile)
	t.Setenv("GOOD_TOKEN", good)
	for name, c := range map[string]struct {
		stdin string
		args  []string
	}{
		"file":           {"", []string{"--token-file", clitest.File(t, "token", good+"\n")}},
		"standard input": {good, []string{"--token-file", "-"}},
		"environment":    {"", []string{"--token-env", "GOOD_TOKEN"}},
	} {
		for _, form := range []string{"table", "json", "yaml", "junit"} {
			got := clitest.RunWithInput(t, c.stdin, NewCommand(), append([]string{"probe", gate, "-o", form}, c.args...)...)
			if got.Code != cli.ExitOK || !strings.Contains(got.Stdout, "Locked") {
				t.Errorf("%s: exit status %d\n%s\n%s", name, got.Code, got.Stdout, got.Stderr)
			}
			for _, part := range strings.Split(good, ".") {
				if strings.Contains(got.Stdout+got.Stderr, part[len(part)/2:]) {
					t.Errorf("%s: a part of the token is in the output", name)
				}
			}
		}
	}
}

// TestProbeOverTLS: what is not trusted is not asked.
func TestProbeOverTLS(t *testing.T) {
	fakeServer, err := mcpfake.New(mcpfake.Options{})
	clitest.Must(t, err)
	server := httptest.NewTLSServer(fakeServer)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0) // Distrust is the point.
	t.Cleanup(server.Close)
	certificate := clitest.File(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--ca", certificate}, "Verdict: Open"},
		{nil, "a TLS failure"},
	} {
		got := clitest.Run(t, NewCommand(), append([]string{"probe", server.URL + "/mcp"}, c.args...)...)
		if got.Code != cli.ExitFailed || !strings.Contains(got.Stdout, c.says) {
			t.Errorf("%v: %+v", c.args, got)
		}
	}
	if requests := fakeServer.Requests(); requests.WithAuthorization == 0 {
		t.Errorf("%+v", requests)
	}
}

// TestProbeTarget: each flag that says what a good token or a gate is like reaches the engine.
func TestProbeTarget(t *testing.T) {
	_, keyFile := lockedGate(t)
	key, err := keys.Generate(keys.EdDSA)
	clitest.Must(t, err)
	published, err := keys.MarshalPublic([]keys.Public{key.Public()})
	clitest.Must(t, err)
	o := options{readFile: os.ReadFile}
	flags := pflag.NewFlagSet("probe", pflag.ContinueOnError)
	o.addFlags(flags)
	o.isSet = flags.Changed
	clitest.Must(t, flags.Parse([]string{
		"--key", keyFile, "--issuer=i", "--audience=a", "--scope=s t", "--type=-", "--lifetime=2m", "--bare", "--claim", `id="7"`,
		"--claim", "exp=null", "--retired-key", keyFile, "--public-key", clitest.File(t, "set", string(published)), "--required-scope=s",
		"--forbidden-tool=rm", "--max-token-lifetime=1h", "--tier=beat", "--seed=7", "--timeout=3s", "--clock-skew=4s", "--gate=yes",
	}))
	target, err := o.target("http://127.0.0.1:1/mcp")
	clitest.Must(t, err)
	provider := target.Providers[0]
	if target.Tier != probe.Quick || target.Seed != 7 || target.Timeout != 3*time.Second || target.ClockTolerance != 4*time.Second || !target.Exact {
		t.Errorf("%+v", target)
	}
	want := probe.Policy{RequiredScopes: []string{"s"}, Forbidden: []probe.Call{{Method: "tools/call", Name: "rm"}}}
	if !reflect.DeepEqual(target.Policy, want) {
		t.Errorf("%+v", target.Policy)
	}
	if len(provider.Retired) != 1 || len(provider.Public) != 1 || provider.Public[0].ID != key.ID() || provider.MaxTokenLifetime != time.Hour {
		t.Errorf("%+v", provider)
	}
	tokens := provider.Tokens
	tokens.Key = keys.Private{}
	if want := (token.Template{
		Type: token.NoType, Issuer: "i", Audience: "a", Scope: "s t", Lifetime: 2 * time.Minute, Bare: true,
		Claims: map[string]any{"id": "7", "exp": nil},
	}); !reflect.DeepEqual(tokens, want) {
		t.Errorf("%+v", tokens)
	}
}

func TestProbeWritesFiles(t *testing.T) {
	gate, keyFile := lockedGate(t)
	report := filepath.Join(t.TempDir(), "probe.xml")
	got := clitest.Run(t, NewCommand(), "probe", gate, "--key", keyFile, "--issuer", issuer, "--audience", issuer, "-o", "json", "-o", "junit="+report)
	if got.Code != cli.ExitOK {
		t.Fatalf("%+v", got)
	}
	var document struct {
		Verdict struct{ Standing string }
		Results []struct{ Case, Standing string }
	}
	clitest.Must(t, json.Unmarshal([]byte(got.Stdout), &document))
	if document.Verdict.Standing != "locked" || len(document.Results) < 6 {
		t.Errorf("%+v", document)
	}
	text, err := os.ReadFile(report)
	clitest.Must(t, err)
	var suites struct {
		Suite struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
		} `xml:"testsuite"`
	}
	clitest.Must(t, xml.Unmarshal(text, &suites))
	if suites.Suite.Tests < len(document.Results) || suites.Suite.Failures != 0 {
		t.Errorf("%+v", suites)
	}
}
