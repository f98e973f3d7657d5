package bearer_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/bearer"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

func TestToken(t *testing.T) {
	for name, c := range map[string]struct {
		values []string
		token  string
		want   gateapi.Reason
	}{
		"usual":                  {[]string{"Bearer abc.DEF-123_~+/="}, "abc.DEF-123_~+/=", ""},
		"lower case":             {[]string{"bearer abc"}, "abc", ""},
		"upper case":             {[]string{"BEARER abc"}, "abc", ""},
		"several spaces":         {[]string{"Bearer    abc"}, "abc", ""},
		"no header":              {nil, "", gateapi.ReasonMissingToken},
		"empty":                  {[]string{""}, "", gateapi.ReasonMissingToken},
		"another scheme":         {[]string{"Basic YTpi"}, "", gateapi.ReasonMissingToken},
		"DPoP":                   {[]string{"DPoP abc"}, "", gateapi.ReasonMissingToken},
		"scheme with a tail":     {[]string{"Bearer2 abc"}, "", gateapi.ReasonMissingToken},
		"bare token":             {[]string{"abc.def.ghi"}, "", gateapi.ReasonMissingToken},
		"scheme alone":           {[]string{"Bearer"}, "", gateapi.ReasonMalformedToken},
		"scheme and spaces":      {[]string{"Bearer  "}, "", gateapi.ReasonMalformedToken},
		"tab":                    {[]string{"Bearer\tabc"}, "", gateapi.ReasonMalformedToken},
		"tab behind a space":     {[]string{"Bearer \tabc"}, "", gateapi.ReasonMalformedToken},
		"quoted":                 {[]string{`Bearer "abc"`}, "", gateapi.ReasonMalformedToken},
		"two tokens in one":      {[]string{"Bearer abc def"}, "", gateapi.ReasonMalformedToken},
		"two credentials in one": {[]string{"Bearer abc, Bearer def"}, "", gateapi.ReasonMalformedToken},
		"padding inside":         {[]string{"Bearer a=b"}, "", gateapi.ReasonMalformedToken},
		"padding alone":          {[]string{"Bearer =="}, "", gateapi.ReasonMalformedToken},
		"not ASCII":              {[]string{"Bearer ä"}, "", gateapi.ReasonMalformedToken},
		"two headers":            {[]string{"Bearer abc", "Bearer abc"}, "", gateapi.ReasonAmbiguousHeader},
		"two headers, one empty": {[]string{"Bearer abc", ""}, "", gateapi.ReasonAmbiguousHeader},
		"two headers, two kinds": {[]string{"Basic YTpi", "Bearer abc"}, "", gateapi.ReasonAmbiguousHeader},
	} {
		token, denial := bearer.Token(http.Header{"Authorization": c.values})
		switch {
		case denial == nil && (c.want != "" || token != c.token):
			t.Errorf("%s: got %q", name, token)
		case denial != nil && (denial.Reason != c.want || token != ""):
			t.Errorf("%s: got %q, %s; want %q", name, token, denial.Reason, c.want)
		}
	}
}

func TestWithoutToken(t *testing.T) {
	for query, want := range map[string]string{
		"":                                  "",
		"a=1&b=%2F&c":                       "a=1&b=%2F&c",
		"access_token=x":                    "",
		"a=1&access_token=x&b=2":            "a=1&b=2",
		"access_token=x&access_token=y&a=1": "a=1",
		"Access_Token=x&a=1":                "a=1",
		"%61ccess%5Ftoken=x&a=1":            "a=1",
		"a=1;access_token=x":                "",
		"access_token&a=1":                  "a=1",
		"%zz=1&a=1":                         "a=1",
		"xaccess_token=x":                   "xaccess_token=x",
	} {
		if got := bearer.WithoutToken(query); got != want {
			t.Errorf("%q: got %q, want %q", query, got, want)
		}
	}
}

func FuzzWithoutToken(f *testing.F) {
	for _, seed := range []string{"access_token=x", "a=1&%61ccess_token=y", "a;access_token=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		once := bearer.WithoutToken(query)
		if strings.HasPrefix(once, "access_token=") || strings.Contains(once, "&access_token=") || bearer.WithoutToken(once) != once {
			t.Errorf("%q became %q", query, once)
		}
	})
}

func FuzzBearer(f *testing.F) {
	for _, seed := range []string{"Bearer abc", "bearer  a.b-c_~+/==", "Basic YTpi", "Bearer", "Bearer a b", "BEARER\tabc", "", "Bearer ="} {
		f.Add(seed, "", false)
		f.Add(seed, seed, true)
	}
	f.Fuzz(func(t *testing.T, first, second string, two bool) {
		values := []string{first}
		if two {
			values = append(values, second)
		}
		token, denial := bearer.Token(http.Header{"Authorization": values})
		if (denial == nil) != (token != "") {
			t.Fatalf("%q: both a token and a refusal, or neither: %q %+v", values, token, denial)
		}
		if denial != nil {
			if two != (denial.Reason == gateapi.ReasonAmbiguousHeader) {
				t.Errorf("%q: refused as %s", values, denial.Reason)
			}
			return
		}
		// What is accepted is exactly: the scheme, spaces, and a token without any.
		scheme, spaced := strings.CutSuffix(first, token)
		if two || !spaced || !strings.EqualFold(strings.TrimRight(scheme, " "), "bearer") || !strings.HasSuffix(scheme, " ") ||
			strings.ContainsAny(token, " \t\r\n\",;\x00") {
			t.Errorf("%q: gave %q", values, token)
		}
	})
}
