package redact_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/redact"
)

const (
	jwt = "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
)

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		// Names as they are.
		"": "", "forecast": "forecast", "get_weather-v2.1": "get_weather-v2.1", "github:create_issue": "github:create_issue", "größe 😀": "größe 😀",
		"deploy@v2": "deploy@v2", "file:///public/a%20b/c.txt": "file:///public/a%20b/c.txt", "memo://insights": "memo://insights",
		"urn:isbn:0451450523": "urn:isbn:0451450523", "https://host:8443/a/b": "https://host:8443/a/b", "http://[::1]:80/x": "http://[::1]:80/x",
		"note://6d9f5c0e-0000-4000-8000-000000000001": "note://6d9f5c0e-0000-4000-8000-000000000001", "data:get": "data:get", "metadata:a,b": "metadata:a,b",
		`a"b\c`: `a"b\c`, "%": "%", "50%": "50%", "%zz": "%zz", "100%25": "100%25", "notify": "notify", "eyJ": "eyJ",
		// Userinfo.
		"https://alice:hunter2@host/a": "https://*@host/a", "https://hunter2@host": "https://*@host", "https://:hunter2@host/a": "https://*@host/a",
		"HTTPS://alice:hunter2@host/a": "HTTPS://*@host/a", "https:/alice:hunter2@host/a": "https:/*@host/a", `https:\\alice:hunter2@host\a`: `https:\\*@host\a`,
		"//alice:hunter2@host/a": "//*@host/a", "alice:hunter2@host/a": "*@host/a", "ssh://git:hunter2@host:22/a": "ssh://*@host:22/a",
		"git@host:org/repo": "*@host:org/repo", "https://a:b@hunter2@host/a": "https://*@host/a", "https://alice:hun/ter2@host/a": "https://*@host/a",
		"https://alice:hunt?er2@host/a": "https://*@host/a", "https://alice:hunt#er2@host/a": "https://*@host/a", "https://alice:hunter2;x=1@host/a": "https://*@host/a",
		"https://alice:hun/t?er2@host/a": "https://*", "https://alice:hunter2%40host/a": "https://*@host/a", "https://alice:hunter2%2540host/a": "https://*@host/a",
		"https://alice:hunter2＠host/a": "https://*@host/a", "https%3A//alice:hunter2@host/a": "https%3A//*@host/a", "https%3a%2f%2falice:hunter2%40host/a": "https%3a%2f%2f*@host/a",
		"view-source:https://alice:hunter2@host/a": "*@host/a", "jar:file://alice:hunter2@host/a!/b": "*@host/a!/b", "mailto:hunter2@host": "*@host",
		"fetch/https://alice:hunter2@host/a": "*@host/a", "https://proxy/https://alice:hunter2@host/a": "https://*@host/a", "gmail://alice@example.com/inbox": "gmail://*@example.com/inbox",
		"https://@hunter2@host": "https://*@host", "postgres://alice:hunter2@db:5432/x?sslmode=off": "postgres://*@db:5432/x",
		// Query, fragment and parameters.
		"https://host/a?token=hunter2": "https://host/a", "https://host/a#access_token=hunter2": "https://host/a", "https://host#access_token=hunter2": "https://host",
		"https://host/a%3Ftoken=hunter2": "https://host/a", "https://host/a%23access_token%3Dhunter2": "https://host/a", "https://host/a%253ftoken%253dhunter2": "https://host/a",
		"https://host/a%25252523hunter2": "https://host/a", "https://host/a;jsessionid=hunter2/b": "https://host/a", "https://host/a%3bjsessionid=hunter2": "https://host/a",
		"https://host/a？token＝hunter2": "https://host/a", "https://host/a＃hunter2": "https://host/a", "https://host/a&token=hunter2": "https://host/a",
		"access_token=hunter2": "access_token", "tool?key=hunter2": "tool", "tool#hunter2": "tool", "?hunter2": "", "#hunter2": "", "https://host/a?email=hunter2@b": "https://host/a",
		"https://host:80/a?email=a@hunter2": "https://host:80/a", "urn:x:y?=hunter2": "urn:x:y", "magnet:?xt=hunter2": "magnet:", "file:///a?q#hunter2": "file:///a",
		"https://host/a?u=https://b:hunter2@c": "https://host/a",
		// Content in place of a name.
		"data:text/plain,hunter2": "data:", "DATA:,hunter2": "DATA:", "data:text/plain;base64,aHVudGVyMg==": "data:", "data%3Atext/plain,hunter2": "data%3A",
		"data:text/plain%2Chunter2": "data:", "view-source:data:,hunter2": "view-source:data:", "x/data:,hunter2": "x/data:", "javascript:f('hunter2',1)": "javascript:",
		// Tokens.
		jwt: "*", "https://host/" + jwt: "https://host/*", "https://host/" + jwt + "/a": "https://host/*/a", "tool-" + jwt: "tool-*", "a " + jwt + " b": "a * b",
		"Bearer " + jwt: "Bearer *", "x/" + jwt[:20]: "x/*",
		// What moves the cursor, turns text around, or is none.
		"\x1b[2Jhunter2": "", "\u202ehunter2": "", "a\x00b": "", "a\nb": "", "bad \xff utf-8": "", "zero\u200bwidth": "", "a\u2028b": "", "\ufeffforecast": "", "nb\u00a0sp": "",
		// Length.
		strings.Repeat("x", 128): strings.Repeat("x", 128), strings.Repeat("x", 129): "", strings.Repeat("x", 3000): "",
		strings.Repeat("x", 127) + "ä": "", "https://host/a?" + strings.Repeat("x", 200): "https://host/a", "https://alice:" + strings.Repeat("x", 500) + "@host/a": "https://*@host/a",
	} {
		if got := redact.Name(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestHosts(t *testing.T) {
	for host, want := range map[string]string{
		"": "", "evil.example": "evil.example", "evil.example:8443": "evil.example:8443", "evil.example.": "evil.example.", "[::1]:80": "[::1]:80", "[fe80::1]": "[fe80::1]",
		"10.0.0.1:80": "10.0.0.1:80", "a1b2c3d4e5f60718293a4b5c6d7e8f90-1234567890.elb.example": "a1b2c3d4e5f60718293a4b5c6d7e8f90-1234567890.elb.example",
		"alice:hunter2@evil.example": "*@evil.example", "hunter2@evil.example:80": "*@evil.example:80", "alice:hunter2%40evil.example": "*@evil.example",
		"a@hunter2@evil.example": "*@evil.example", "evil.example?token=hunter2": "*", "evil.example#hunter2": "*", "evil.example/hunter2": "*", "evil.example%3Fhunter2": "*",
		"alice:hunter2": "alice:*", "evil.example:80:hunter2": "evil.example:*", "[hunter2]": "*", "[::1]hunter2": "[::1]:*", "evil example": "*", "\x1b[2J": "*", "\u202e.example": "*", "\xff": "*",
		jwt: "*", jwt[:30] + ".example": "*", strings.Repeat("x", 64) + ".example": "*", strings.Repeat("x.", 100): "*", "bücher.example": "*",
	} {
		if got := redact.Host(host); got != want {
			t.Errorf("%q: got %q, want %q", host, got, want)
		}
	}
}

func TestOrigins(t *testing.T) {
	for origin, want := range map[string]string{
		"": "", "null": "null", "https://evil.example": "https://evil.example", "http://localhost:3000": "http://localhost:3000", "chrome-extension://abcdef": "chrome-extension://abcdef",
		"https://evil.example/": "https://evil.example/*", "https://evil.example/p?token=hunter2": "https://evil.example/*", "https://evil.example#hunter2": "https://evil.example/*",
		"https://evil.example?hunter2": "https://evil.example/*", "https://alice:hunter2@evil.example": "https://*@evil.example", "https://alice:hun/ter2@evil.example": "https://*",
		"https://a, https://b": "https://*/*", "hunter2": "*", "*": "*", "file://": "file://", "data:,hunter2": "*", "javascript://hunter2\n": "javascript://*",
		"https://" + jwt: "https://*", "\x1b://x": "*", strings.Repeat("x", 30) + "://x": "*", "https://evil.example%2fhunter2": "https://*",
	} {
		if got := redact.Origin(origin); got != want {
			t.Errorf("%q: got %q, want %q", origin, got, want)
		}
	}
}

func TestMethods(t *testing.T) {
	for method, want := range map[string]string{"GET": "GET", "post": "post", "PROPFIND": "PROPFIND", "": "other", "HUNTER2": "other", "GETS": "other", jwt: "other", "G\x1bET": "other"} {
		if got := redact.Method(method); got != want {
			t.Errorf("%q: got %q, want %q", method, got, want)
		}
	}
}

func TestPaths(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "/mcp/": "/mcp/", "/sse": "/sse", "/.well-known/oauth-protected-resource/mcp": "/.well-known/oauth-protected-resource/mcp", "/api/v1/tools": "/api/v1/tools",
		"/OAuth2/Login": "/OAuth2/Login", "/healthz": "/healthz", "/2026/11/29": "/2026/11/29", "/weather-v2-forecast": "/weather-v2-forecast",
		"/mcp/6d9f5c0e-0000-4000-8000-000000000001": "/mcp/*", "/mcp/" + jwt: "/mcp/*", "/s/0123456789abcdef0123456789abcdef/mcp": "/s/*/mcp", "/mcp/sk-a1b2C3d4E5f6": "/mcp/*",
		"/mcp;hunter2": "/*", "/mcp%3fhunter2": "/*", "/alice:hunter2@host": "/*", "/mcp?hunter2": "/*", "/a b": "/*", "/\x1b[2J": "/*", "/\u202e": "/*", "/\xff": "/*", "/größe": "/*",
		"/AKIAIOSFODNN7EXAMPLE": "/*", "/ghp_16C7e42F292c6912E7710c838347Ae178B4a": "/*", "/xoxb-17653672481-19874698323": "/*", "/a/" + strings.Repeat("x", 200): "/a/*",
		strings.Repeat("/a", 300): strings.Repeat("/a", 16) + "/*", "/4111111111111111": "/*", "/x/QWxhZGRpbjpvcGVu": "/x/*",
	} {
		if got := redact.Path(path); got != want {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
	}
}

// Wherever a lenient reader could find a secret in a name, it is not told; and what is told is one line of bounded length.
func FuzzName(f *testing.F) {
	for _, seed := range []string{"https://u:p@h/a?q#f", "data:,x", "a%253fb", "user:pass@host", "//u@h", "eyJ", "＠", "%", "x;y=z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := redact.Name(text)
		if len(got) > 128 || !utf8.ValidString(got) || strings.ContainsFunc(got, func(c rune) bool { return !unicode.IsPrint(c) }) {
			t.Errorf("%q: got %q", text, got)
		}
		if strings.ContainsAny(got, "?#;&=") {
			t.Errorf("%q: got parameters: %q", text, got)
		}
		for _, place := range []string{redact.Host(text), redact.Origin(text), redact.Path(text)} {
			if len(place) > 160 || strings.ContainsAny(place, "?#;&=%") || strings.ContainsFunc(place, func(c rune) bool { return c < 0x20 || c > 0x7e }) {
				t.Errorf("%q: got the place %q", text, place)
			}
		}
		// A secret in the userinfo, the query or the fragment of whatever it is.
		const mark = "Zx9Kq2LmT7"
		for _, uri := range []string{"https://" + mark + "@" + text, "https://u:" + mark + "@h/" + text, "https://h/" + text + "?" + mark, "https://h/" + text + "%23" + mark, "data:" + text + "," + mark} {
			if got := redact.Name(uri); strings.Contains(got, mark) {
				t.Errorf("%q: got %q", uri, got)
			}
		}
	})
}

func BenchmarkName(b *testing.B) {
	for _, name := range []string{"forecast", "file:///public/a/b/c.txt", "https://host/a%20b?x"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = redact.Name(name)
			}
		})
	}
}
