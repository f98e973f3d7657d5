package providers

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPages: the gate of each sample lets in the access tokens that its page shows, and refuses their near misses for the
// reasons that its page lists. UPDATE_PROVIDERS=1 writes the lists.
func TestPages(t *testing.T) {
	tried := map[string]bool{}
	for _, p := range readPages(t) {
		for _, sample := range p.samples(t) {
			tried[sample] = true
			t.Run(sample, func(t *testing.T) { p.try(t, sample) })
		}
	}
	for sample := range special {
		if !tried[sample] {
			t.Errorf("%s is no sample of any page", sample)
		}
	}
}

func (p *page) try(t *testing.T, sample string) {
	t.Helper()
	access := p.shapes(t, "access-token", sample)
	if len(access) == 0 || len(special[sample]) == 0 {
		t.Fatalf("%s shows %d access tokens for %s, with %d near misses of their own", p.file, len(access), sample, len(special[sample]))
	}
	from := newIssuer(t, access[0])
	s := newSite(t, configOf(t, sample), from.set)
	for n, token := range access {
		if got := s.ask(t, from.mint(t, token)); got.status != http.StatusOK {
			t.Errorf("access token %d of the page: %+v", n+1, got)
		}
	}
	var rows []string
	try := func(name, want, token string) {
		got := s.ask(t, token)
		if got.reason != want {
			t.Errorf("%s: %+v, want %s", name, got, want)
		}
		rows = append(rows, fmt.Sprintf("| %s | %d `%s` | %s |\n", name, got.status, got.reason, code(got.detail)))
	}
	for _, token := range p.shapes(t, "id-token", sample) {
		got := s.ask(t, from.mint(t, token))
		try("ID token, as above", got.reason, from.mint(t, token))
		if !slices.Contains([]string{"wrong_type", "wrong_audience"}, got.reason) {
			t.Errorf("ID token: %+v", got)
		}
	}
	for _, one := range slices.Concat(special[sample], everywhere(t, from)) {
		try(one.name, one.reason, from.mint(t, access[0], one.changes...))
	}
	p.compare(t, "| Token, tried at `"+sample+"` | Answer | `detail` in the audit |\n|---|---|---|\n", strings.Join(rows, ""))
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + howLong.ReplaceAllString(text, "passed … ago") + "`"
}

// howLong differs from run to run.
var howLong = regexp.MustCompile(`passed \S+ ago`)

// compare holds the rows of a page's table against those that were seen.
func (p *page) compare(t *testing.T, header, rows string) {
	t.Helper()
	before, after, found := strings.Cut(p.text, header)
	if !found {
		t.Fatalf("%s has no table that begins\n%s", p.file, header)
	}
	end := 0
	for line := range strings.Lines(after) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		end += len(line)
	}
	if after[:end] == rows {
		return
	}
	if os.Getenv("UPDATE_PROVIDERS") == "" {
		t.Errorf("%s: the table is not as seen (UPDATE_PROVIDERS=1 writes it):\n%s", p.file, rows)
		return
	}
	p.text = before + header + rows + after[end:]
	must(t, os.WriteFile(p.file, []byte(p.text), 0o600))
}

// TestDexTokensAreRefused: Dex signs ID tokens under the name of access tokens, and the gate tells neither from an ID token.
func TestDexTokensAreRefused(t *testing.T) {
	pages := readPages(t)
	p := pages[slices.IndexFunc(pages, func(p *page) bool { return p.name() == "dex" })]
	tokens := p.shapes(t, "refused-token", "dex")
	if len(tokens) != 2 {
		t.Fatalf("%s shows %d tokens", p.file, len(tokens))
	}
	config := configOf(t, "okta")
	config.Providers[0].Issuer, config.Providers[0].Audiences = "https://dex.example.com", []string{"mcp-server"}
	from := newIssuer(t, tokens[0])
	s := newSite(t, config, from.set)
	for _, token := range tokens {
		if got, want := s.ask(t, from.mint(t, token)), (gateAnswer{401, "wrong_type", "at_hash: a claim of an ID token"}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}
