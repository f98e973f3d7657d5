package serverprobe

import (
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli/clitest"
)

// What cannot be carried out ends with status 2, a message that says what to do, and nothing on standard output.
func TestProbeMisuse(t *testing.T) {
	const url = "http://127.0.0.1:1/mcp"
	key := clitest.File(t, "secret", secret)
	_, keyFile := lockedGate(t)
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no URL":                {nil, "gatehouse probe --help"},
		"two URLs":              {[]string{url, url}, "gatehouse probe --help"},
		"not a URL":             {[]string{"mcp.example.com"}, "http(s)://host[:port]/path"},
		"a URL with a query":    {[]string{url + "?token=abc"}, "must not have credentials, a query"},
		"an unknown flag":       {[]string{url, "--open"}, "gatehouse probe --help"},
		"a token in a flag":     {[]string{url, "--token", "abc"}, "use --token-file FILE"},
		"a token in a flag (=)": {[]string{url, "--token=abc"}, "use --token-file FILE"},
		"two credentials":       {[]string{url, "--key", key, "--token-env", "X"}, "give one of"},
		"no such file":          {[]string{url, "--key", "/nowhere"}, "--key: open /nowhere"},
		"a secret unsaid":       {[]string{url, "--key", key}, "--key-format=secret"},
		"another key format":    {[]string{url, "--key", key, "--key-format=der"}, "use auto or secret"},
		"another algorithm":     {[]string{url, "--key", keyFile, "--algorithm", "RS256"}, "does not serve the algorithm"},
		"another kid":           {[]string{url, "--key", keyFile, "--kid", "x"}, "no key of the set has the kid"},
		"an empty token":        {[]string{url, "--token-env", "GATEHOUSE_NO_SUCH_VARIABLE"}, "there is no token in it"},
		"a header for a token":  {[]string{url, "--token-file", clitest.File(t, "t", "Bearer abc")}, "without the word Bearer"},
		"a claim without value": {[]string{url, "--key", keyFile, "--claim", "id"}, "write NAME=JSON"},
		"a claim without JSON":  {[]string{url, "--key", keyFile, "--claim", "id=seven"}, `--claim id='"text"'`},
		"claims without a key":  {[]string{url, "--issuer", "x"}, "--issuer needs --key"},
		"another gate":          {[]string{url, "--gate=maybe"}, "use auto or yes or no"},
		"a gate for strangers":  {[]string{url, "--gate=yes"}, "needs a good token"},
		"another tier":          {[]string{url, "--tier=some"}, "use full or beat"},
		"no time":               {[]string{url, "--timeout=0s"}, "must be positive"},
		"no life":               {[]string{url, "--key", keyFile, "--lifetime=0s"}, "one second at least"},
		"another form":          {[]string{url, "-o", "html"}, "use table, json, yaml or junit"},
		"a file without name":   {[]string{url, "-o", "junit="}, "the name of the file is missing"},
		"no certificates":       {[]string{url, "--ca", key}, "it must be PEM"},
		"tools for strangers":   {[]string{url, "--forbidden-tool", "x"}, "need a good token"},
		"no public key":         {[]string{url, "--token-file", clitest.File(t, "t", "abc"), "--public-key", key}, "--public-key"},
	} {
		got := clitest.Run(t, NewCommand(), append([]string{"probe"}, c.args...)...)
		if got.Code != cli.ExitUsage || !strings.Contains(got.Stderr, c.says) || got.Stdout != "" {
			t.Errorf("%s: exit status %d, stdout %q, stderr %q; want %q", name, got.Code, got.Stdout, got.Stderr, c.says)
		}
		if strings.Contains(got.Stderr, "abc") || strings.Contains(got.Stderr, secret) {
			t.Errorf("%s: the message repeats a secret: %q", name, got.Stderr)
		}
	}
}
