package main

import (
	"flag"
	"io"
	"slices"
	"strings"
	"testing"
)

func parse(args ...string) (options, error) {
	flags := flag.NewFlagSet("operator", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return parseOptions(flags, args, func(name string) string {
		return map[string]string{"AUTHPROXY_IMAGE": "example.com/authproxy:1"}[name]
	})
}

func TestNamespaces(t *testing.T) {
	for list, want := range map[string][]string{
		"":        nil,
		"a":       {"a"},
		"b,a":     {"a", "b"},
		"a, b ,a": {"a", "b"},
	} {
		if o, err := parse("--watch-namespaces=" + list); err != nil || !slices.Equal(o.watchNamespaces, want) {
			t.Errorf("%q: %q, %v; want %q", list, o.watchNamespaces, err, want)
		}
	}
	// Where no name is left, all namespaces would be meant.
	for _, list := range []string{",", "a,", " ", "A", "a b", "*"} {
		if o, err := parse("--watch-namespaces=" + list); err == nil || !strings.Contains(err.Error(), "is no namespace") {
			t.Errorf("%q: %q, %v", list, o.watchNamespaces, err)
		}
	}
}

func TestOptionsSayAllThatIsWrong(t *testing.T) {
	_, err := parse("--watch-namespaces=A", "--authproxy-image=", "--probe-qps=0", "--readiness-gates=Maybe", "--leader-elect")
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"--watch-namespaces", "--authproxy-image", "--probe-qps", "--readiness-gates", "--leader-elect"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing of %s in: %v", want, err)
		}
	}
}
