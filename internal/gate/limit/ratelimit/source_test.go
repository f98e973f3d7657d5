package ratelimit

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

func TestSourceOfARequest(t *testing.T) {
	trusted := []string{"10.0.0.0/8", "2001:db8:ffff::/48", "127.0.0.0/8"}
	for name, c := range map[string]struct {
		header, peer string
		values       []string
		want         string
	}{
		"nobody is believed":            {"", "10.0.0.1:5", []string{"1.2.3.4"}, "10.0.0.1"},
		"no proxy":                      {"X-Forwarded-For", "1.1.1.1:5", []string{"1.2.3.4"}, "1.1.1.1"},
		"no header":                     {"X-Forwarded-For", "10.0.0.1:5", nil, "10.0.0.1"},
		"one hop":                       {"X-Forwarded-For", "10.0.0.1:5", []string{"1.2.3.4"}, "1.2.3.4"},
		"made up on the left":           {"X-Forwarded-For", "10.0.0.1:5", []string{"9.9.9.9, 1.2.3.4 , 10.0.0.2"}, "1.2.3.4"},
		"several lines":                 {"X-Forwarded-For", "10.0.0.1:5", []string{"9.9.9.9", "1.2.3.4", "10.0.0.2,10.0.0.3"}, "1.2.3.4"},
		"garbage on the left":           {"X-Forwarded-For", "10.0.0.1:5", []string{"<script>, 1.2.3.4"}, "1.2.3.4"},
		"garbage on the right":          {"X-Forwarded-For", "10.0.0.1:5", []string{"1.2.3.4, unknown"}, "10.0.0.1"},
		"garbage behind a proxy":        {"X-Forwarded-For", "10.0.0.1:5", []string{"1.2.3.4, , 10.0.0.2"}, "10.0.0.1"},
		"proxies only":                  {"X-Forwarded-For", "10.0.0.1:5", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.1"},
		"with a port":                   {"X-Forwarded-For", "10.0.0.1:5", []string{"1.2.3.4:1234"}, "1.2.3.4"},
		"IPv6":                          {"X-Forwarded-For", "[2001:db8:ffff::1]:5", []string{"2001:db8::7"}, "2001:db8::7"},
		"IPv6 in brackets":              {"X-Forwarded-For", "10.0.0.1:5", []string{"[2001:db8::7]:443"}, "2001:db8::7"},
		"IPv4 in IPv6":                  {"X-Forwarded-For", "[::ffff:10.0.0.1]:5", []string{"::ffff:1.2.3.4"}, "1.2.3.4"},
		"the other header":              {"Forwarded", "10.0.0.1:5", nil, "10.0.0.1"},
		"Forwarded":                     {"Forwarded", "10.0.0.1:5", []string{`for=9.9.9.9, for=1.2.3.4;proto=https;by=10.0.0.1`}, "1.2.3.4"},
		"Forwarded, quoted":             {"Forwarded", "10.0.0.1:5", []string{`host="a,b;c";For="[2001:db8::7]:4711"`}, "2001:db8::7"},
		"Forwarded, a quoted comma":     {"Forwarded", "10.0.0.1:5", []string{`for="1.2.3.4, for=9.9.9.9"`}, "10.0.0.1"},
		"Forwarded, an escaped quote":   {"Forwarded", "10.0.0.1:5", []string{`x="\", for=9.9.9.9, ";for=1.2.3.4`}, "1.2.3.4"},
		"Forwarded, hidden":             {"Forwarded", "10.0.0.1:5", []string{"for=1.2.3.4, for=_hidden"}, "10.0.0.1"},
		"Forwarded, nothing said":       {"Forwarded", "10.0.0.1:5", []string{"for=1.2.3.4, proto=https"}, "10.0.0.1"},
		"Forwarded, said twice":         {"Forwarded", "10.0.0.1:5", []string{"for=1.2.3.4;for=9.9.9.9"}, "10.0.0.1"},
		"Forwarded, a quote that stays": {"Forwarded", "10.0.0.1:5", []string{`for=", for=1.2.3.4`}, "10.0.0.1"},
		"no TCP":                        {"X-Forwarded-For", "@", []string{"1.2.3.4"}, "::"},
	} {
		config := gateapi.ClientIP{Header: c.header}
		if c.header != "" {
			config.TrustedProxies = trusted
		}
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}}
		for _, name := range []string{"X-Forwarded-For", "Forwarded"} {
			if name == c.header || c.header == "" {
				r.Header[name] = c.values
			} else {
				r.Header[name] = []string{"8.8.8.8"}
			}
		}
		if got := NewSources(config).Of(r).String(); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestWhatSharesABudget(t *testing.T) {
	key := func(text string) [16]byte { return Source{address: netip.MustParseAddr(text)}.key() }
	if key("1.2.3.4") == key("1.2.3.5") || key("2001:db8:0:1::1") == key("2001:db8:0:2::1") {
		t.Error("different sources have one budget")
	}
	if key("2001:db8:0:1::1") != key("2001:db8:0:1:ffff::2") {
		t.Error("one IPv6 subnet has two budgets")
	}
	if (Source{}).String() != "" || (Source{}).key() == key("1.2.3.4") {
		t.Error("the zero Source is somebody")
	}
}

func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{`for=1.2.3.4`, `for="[::1]:5";by=x, for=_a`, `for="\"`, `,;=`, `for=";`} {
		f.Add(seed)
	}
	s := NewSources(gateapi.ClientIP{Header: "Forwarded", TrustedProxies: []string{"10.0.0.0/8"}})
	f.Fuzz(func(t *testing.T, value string) {
		r := &http.Request{RemoteAddr: "10.0.0.1:5", Header: http.Header{"Forwarded": {value}}}
		if got := s.Of(r); !got.address.IsValid() || got.address.Zone() != "" {
			t.Errorf("%q: %v", value, got)
		}
		// What the proxy itself appends decides, if what is left of it can be split at all.
		r.Header.Add("Forwarded", "for=1.2.3.4")
		if got := s.Of(r).String(); got != "1.2.3.4" && got != "10.0.0.1" {
			t.Errorf("%q chose %s", value, got)
		}
	})
}
