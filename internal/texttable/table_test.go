package texttable_test

import (
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/texttable"
)

func TestTable(t *testing.T) {
	var out strings.Builder
	table := texttable.Table{Indent: 2}
	for _, rows := range [][][]string{
		{{"NAME", "READY", "REASON"}, {"würfel", "True", ""}},
		{{"x", "False", "NameTaken"}},
	} {
		if err := table.Write(&out, rows...); err != nil {
			t.Fatal(err)
		}
	}
	want := "" +
		"  NAME     READY   REASON\n" +
		"  würfel   True\n" +
		"  x        False   NameTaken\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text          string
		width, indent int
		want          string
	}{
		{"", 10, 2, "  "},
		{"one two three", 100, 0, "one two three"},
		{"one two three", 7, 0, "one two\nthree"},
		{"one two three", 9, 2, "  one two\n  three"},
		{"one\n  two", 100, 1, " one two"},
		{"a incomprehensibilities b", 5, 0, "a\nincomprehensibilities\nb"},
		{"äöü äöü", 7, 0, "äöü äöü"},
	} {
		if got := texttable.Wrap(c.text, c.width, c.indent); got != c.want {
			t.Errorf("%q in %d: got %q, want %q", c.text, c.width, got, c.want)
		}
	}
}
