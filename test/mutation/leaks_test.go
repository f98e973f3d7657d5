package mutation

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/forms"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// leak is a gate that is open to nothing but a form of a request, a defect of a token, the tokens of a client, or both a form
// and a defect.
type leak struct {
	form, defect, client string
	heavy, tls           bool
	// within is how many checks there are until it is found: quick checks, or of a heavy form full rounds.
	within int
}

// name is how the mutants' program is told which it is.
func (l leak) name() string {
	switch {
	case l.form != "" && l.defect != "":
		return "pair:" + l.form + ", " + l.defect
	case l.form != "":
		return "form:" + l.form
	case l.defect != "":
		return "defect:" + l.defect
	}
	return "client:" + l.client
}

// rowsOf are the rows of the catalogue for a site of the mutants, as far as they go by it: one provider, whose key signs.
func rowsOf(tls bool) []forms.Row {
	key, err := keys.Generate(keys.ES256)
	if err != nil {
		panic(err)
	}
	target := probe.Target{
		URL: "http://127.0.0.1/mcp", Exact: true, Hosts: []string{clientHost}, Policy: probe.Policy{},
		Providers: []probe.Provider{{Name: "main", Tokens: token.Template{Key: key, Lifetime: time.Minute}}},
	}
	if tls {
		target.URL = "https://127.0.0.1/mcp"
	}
	return forms.Rows(target)
}

const clientHost = "weather.tools.svc:8080"

// onlyOverTLS are the forms that only a gate with TLS can have.
var onlyOverTLS = []string{"HTTP/2"}

// everyDay are the forms by which a gate cannot be open without being open to usual requests.
var everyDay = []string{"as usual", "header name in lower case", "header name in upper case"}

// How many rows there are until each defect, and the tokens of each name of a client, had their turn.
const (
	defectsWithin = 40
	clientsWithin = 40
)

// leaks lists one for each form, defect and name of a client, and some for a form and a defect.
func leaks() []leak {
	var all []leak
	count := map[bool]int{}
	seen := map[string]bool{}
	rows := rowsOf(true)
	for _, row := range rows {
		if !seen[row.Form] {
			seen[row.Form] = true
			count[row.Heavy]++
		}
	}
	for _, row := range rows {
		if !seen[row.Form] || slices.Contains(everyDay, row.Form) {
			continue
		}
		seen[row.Form] = false
		within := count[true]
		if !row.Heavy {
			within = quickChecksFor(count[false])
		}
		all = append(all, leak{form: row.Form, heavy: row.Heavy, tls: slices.Contains(onlyOverTLS, row.Form), within: within})
	}
	for _, name := range forms.Defects() {
		all = append(all, leak{defect: name, within: quickChecksFor(defectsWithin)})
	}
	for _, name := range forms.Clients() {
		if name != "" {
			all = append(all, leak{client: name, within: quickChecksFor(clientsWithin)})
		}
	}
	light := 0
	for _, row := range rowsOf(false) {
		if !row.Heavy {
			light++
		}
	}
	return append(all, leak{form: "HTTP/1.0", defect: "forged and expired token of a client", within: quickChecksFor(light)})
}

// quickChecksFor is how many quick checks ask so many rows: three of four ask one.
func quickChecksFor(rows int) int { return (rows*4+2)/3 + 1 }

// leakTable is what docs/mutation.md says of them.
func leakTable() string {
	var out strings.Builder
	for _, l := range leaks() {
		form, defect, checks := "any", "any", fmt.Sprintf("%d quick checks", l.within)
		if l.form != "" {
			form = l.form
		}
		if l.defect != "" {
			defect = l.defect
		}
		if l.client != "" {
			defect = "of client " + l.client
		}
		if l.heavy {
			checks = fmt.Sprintf("%d full checks", l.within)
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", form, defect, checks, l.foundBy())
	}
	return out.String()
}

// foundBy says by which rows.
func (l leak) foundBy() string {
	switch {
	case l.client != "":
		return "`variation`, a token of that client"
	case l.form == "":
		return "`variation`, that defect"
	case l.defect == "":
		return "`variation`, that form"
	}
	return "`variation`, both"
}

// Every row of the catalogue has a form and a defect of which there is a leak, so that without it that would go unseen.
func TestEveryRowHasALeak(t *testing.T) {
	inForms, defects := map[string]bool{}, map[string]bool{}
	for _, l := range leaks() {
		inForms[l.form], defects[l.defect] = true, true
	}
	for _, row := range rowsOf(true) {
		if !inForms[row.Form] && !slices.Contains(everyDay, row.Form) || !defects[row.Defect] {
			t.Errorf("nothing is open to %s, %s alone", row.Form, row.Defect)
		}
	}
}

// What docs/probe.md and docs/mutation.md say of how soon a row has its turn: forms and defects within as many rows as there
// are of them.
func TestRowsTakeTurns(t *testing.T) {
	rows := slices.DeleteFunc(rowsOf(false), func(row forms.Row) bool { return row.Heavy })
	widest := func(of func(forms.Row) string) int {
		last, most := map[string]int{}, 0
		for i := range 2 * len(rows) {
			name := of(rows[i%len(rows)])
			if before, found := last[name]; found {
				most = max(most, i-before)
			}
			last[name] = i
		}
		return most
	}
	inForms := map[string]bool{}
	for _, row := range rows {
		inForms[row.Form] = true
	}
	if got := widest(func(row forms.Row) string { return row.Form }); got > len(inForms) {
		t.Errorf("of %d forms one waits for %d rows", len(inForms), got)
	}
	if got := widest(func(row forms.Row) string { return row.Defect }); got > defectsWithin {
		t.Errorf("of %d defects one waits for %d rows", len(forms.Defects()), got)
	}
}
