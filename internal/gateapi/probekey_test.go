package gateapi_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// writtenProbeKey is a probe key as the operator writes it, that of the first example of RFC 8037 (appendix A.2).
const writtenProbeKey = `{"id": "gatehouse-probe-1", "publicKey": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "providers": ["managed"]}`

func probeKey() *gateapi.ProbeKey {
	return &gateapi.ProbeKey{
		ID: "gatehouse-probe-1", PublicKey: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", Providers: []string{"managed"},
	}
}

func TestProbeKeyInTheConfiguration(t *testing.T) {
	want := validConfig()
	want.ProbeKey = probeKey()
	text := strings.Replace(written, `"limits":`, `"probeKey": `+writtenProbeKey+`, "limits":`, 1)
	if got, err := gateapi.ParseConfig([]byte(text)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	public, err := probeKey().Public()
	raw, isEdwards := public.Key.(ed25519.PublicKey)
	if err != nil || !isEdwards || public.ID != "gatehouse-probe-1" || public.Anonymous || public.Algorithm != keys.EdDSA {
		t.Fatalf("got %+v, %v", public, err)
	}
	if x := base64.RawURLEncoding.EncodeToString(raw); x != probeKey().PublicKey {
		t.Errorf("got the key %s", x)
	}
}

// A gate that knows no probe key refuses a file that has the field, so a file without a key must not have it.
func TestNoProbeKeyIsNotWritten(t *testing.T) {
	data, err := json.Marshal(validConfig())
	if err != nil || strings.Contains(string(data), "probeKey") {
		t.Errorf("got %s, %v", data, err)
	}
}

func TestProbeKeyThatMakesNoSense(t *testing.T) {
	for want, change := range map[string]func(*gateapi.ProbeKey){
		"probeKey: an id, and":                           func(k *gateapi.ProbeKey) { k.ID = "" },
		"no token can name it":                           func(k *gateapi.ProbeKey) { k.ID = "a b" },
		"public key in base64url":                        func(k *gateapi.ProbeKey) { k.PublicKey += "=" },
		"probeKey: no key is left to verify with: key 0": func(k *gateapi.ProbeKey) { k.PublicKey = k.PublicKey[:40] },
		"anyone can sign":                                func(k *gateapi.ProbeKey) { k.PublicKey = strings.Repeat("A", 43) },
		"probeKey.providers: at least one":               func(k *gateapi.ProbeKey) { k.Providers = nil },
		`probeKey.providers[1]: "corp" is no`:            func(k *gateapi.ProbeKey) { k.Providers = []string{"managed", "corp"} },
		`probeKey.providers[1]: "managed" is named tw`:   func(k *gateapi.ProbeKey) { k.Providers = []string{"managed", "managed"} },
	} {
		changed := validConfig()
		changed.ProbeKey = probeKey()
		change(changed.ProbeKey)
		data, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gateapi.ParseConfig(data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestProbeSubjects(t *testing.T) {
	for subject, want := range map[string]bool{
		"gatehouse-probe": true, "gatehouse-probe-other": true,
		"": false, "Gatehouse-Probe": false, "gatehouse-probe ": false, "gatehouse-probe-": false,
	} {
		if got := gateapi.IsProbeSubject(subject); got != want {
			t.Errorf("%q: got %t", subject, got)
		}
	}
}
