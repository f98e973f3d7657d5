package gateapi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

func TestRemoteKeysInTheConfiguration(t *testing.T) {
	uri := gateapi.RemoteKeys{JWKSURI: "https://issuer.example/keys?policy=a", MaxStaleSeconds: 3600}
	discovery := gateapi.RemoteKeys{Discovery: true, MaxStaleSeconds: 3600}
	for name, c := range map[string]struct {
		keys   gateapi.RemoteKeys
		issuer string
		change func(*gateapi.KeySource)
		want   string // empty: it is good
	}{
		"a URL":                     {keys: uri, issuer: "urn:i"},
		"a URL, no issuer":          {keys: uri},
		"discovery":                 {keys: discovery, issuer: "https://issuer.example/tenant/"},
		"plain http":                {keys: gateapi.RemoteKeys{JWKSURI: "http://issuer.dex.svc/keys", AllowHTTP: true, MaxStaleSeconds: 3600}},
		"plain http for discovery":  {keys: gateapi.RemoteKeys{Discovery: true, AllowHTTP: true, MaxStaleSeconds: 3600}, issuer: "http://dex.svc"},
		"http is not allowed":       {keys: gateapi.RemoteKeys{JWKSURI: "http://issuer.example/keys", MaxStaleSeconds: 3600}, want: "jwksURI"},
		"a file":                    {keys: gateapi.RemoteKeys{JWKSURI: "file:///keys", AllowHTTP: true, MaxStaleSeconds: 3600}, want: "jwksURI"},
		"with a user":               {keys: gateapi.RemoteKeys{JWKSURI: "https://u:p@issuer.example/", MaxStaleSeconds: 3600}, want: "jwksURI"},
		"both":                      {keys: gateapi.RemoteKeys{JWKSURI: uri.JWKSURI, Discovery: true, MaxStaleSeconds: 3600}, issuer: "https://i", want: "exactly one"},
		"neither":                   {keys: gateapi.RemoteKeys{MaxStaleSeconds: 3600}, want: "exactly one"},
		"stale too soon":            {keys: gateapi.RemoteKeys{JWKSURI: uri.JWKSURI, MaxStaleSeconds: 3599}, want: "maxStaleSeconds: 3599"},
		"a path to the CA":          {keys: gateapi.RemoteKeys{JWKSURI: uri.JWKSURI, CAFile: "../ca.crt", MaxStaleSeconds: 3600}, want: "caFile"},
		"discovery without issuer":  {keys: discovery, want: "for discovery"},
		"discovery at a URN":        {keys: discovery, issuer: "urn:i", want: "for discovery"},
		"discovery over http":       {keys: discovery, issuer: "http://issuer.example", want: "for discovery"},
		"discovery with a query":    {keys: discovery, issuer: "https://issuer.example/?a", want: "for discovery"},
		"discovery with a fragment": {keys: discovery, issuer: "https://issuer.example/#a", want: "for discovery"},
		"files as well":             {keys: uri, change: func(k *gateapi.KeySource) { k.Files = []string{"a"} }, want: "do not go with it"},
		"in PEM":                    {keys: uri, change: func(k *gateapi.KeySource) { k.Format = gateapi.FormatPEM }, want: "do not go with it"},
	} {
		changed := validConfig()
		changed.Providers[0].Issuer, changed.Providers[0].Keys.Remote = c.issuer, &c.keys
		if c.change != nil {
			c.change(&changed.Providers[0].Keys)
		}
		data, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		_, err = gateapi.ParseConfig(data)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
