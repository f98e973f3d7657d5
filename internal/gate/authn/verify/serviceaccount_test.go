package verify_test

import (
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// A ServiceAccount token as the kubelet projects it into a pod for an audience (Kubernetes TokenRequest): no "typ", a
// list of audiences, and claims about the pod. The issuer's keys come in a file, as any public set.
func TestServiceAccountTokens(t *testing.T) {
	const issuer, audience = "https://kubernetes.default.svc.cluster.local", "gatehouse:tools/weather"
	b := newFixture(t)
	published, err := keys.MarshalPublic([]keys.Public{b.rsa.Public()})
	must(t, err)
	set, err := keys.ParsePublic(published)
	must(t, err)
	b.loaded["cluster"] = set.Keys
	b.config.Providers = append(b.config.Providers, gateapi.Provider{
		Name: "cluster", Issuer: issuer, Audiences: []string{audience}, Algorithms: []keys.Algorithm{keys.RS256},
		ClockSkewSeconds: int32(leeway.Seconds()), TokenTypes: []string{""},
	})
	header := fields{"alg": "RS256", "kid": b.rsa.ID()}
	claims := fields{
		"aud": []string{audience}, "iss": issuer, "sub": "system:serviceaccount:agents:caller",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(), "jti": "7ad3c2bd-0000-4000-8000-000000000001",
		"kubernetes.io": fields{
			"namespace":      "agents",
			"node":           fields{"name": "node-1", "uid": "b1a3d0f6-0000-4000-8000-000000000002"},
			"pod":            fields{"name": "caller-0", "uid": "c51d8a52-0000-4000-8000-000000000003"},
			"serviceaccount": fields{"name": "caller", "uid": "d0b1e4b9-0000-4000-8000-000000000004"},
			"warnafter":      now.Add(time.Hour).Unix(),
		},
	}
	principal, denial := b.verify(b.sign(b.rsa, header, claims))
	if denial != nil || principal.Provider() != "cluster" || principal.Subject() != "system:serviceaccount:agents:caller" {
		t.Fatalf("got %+v, %+v", principal, denial)
	}
	for name, c := range map[string]struct {
		header, claims fields
		want           gateapi.Reason
	}{
		"with more audiences": {header, with(claims, "aud", []string{"https://kubernetes.default.svc", audience}), ""},
		"for the API server":  {header, with(claims, "aud", []string{issuer}), gateapi.ReasonWrongAudience},
		"for another server":  {header, with(claims, "aud", []string{audience + "2"}), gateapi.ReasonWrongAudience},
		"for nobody":          {header, with(claims, "aud", []string{}), gateapi.ReasonMissingClaim},
		"of the legacy kind":  {header, with(with(claims, "iss", "kubernetes/serviceaccount"), "exp", nil), gateapi.ReasonWrongIssuer},
		"without an end":      {header, with(claims, "exp", nil), gateapi.ReasonMissingClaim},
		"with a type":         {with(header, "typ", "at+jwt"), claims, gateapi.ReasonWrongType},
		"with another key":    {with(header, "kid", b.ec.ID()), claims, gateapi.ReasonUnknownKey},
	} {
		b.refused(name, b.sign(b.rsa, c.header, c.claims), c.want)
	}
	b.provider("cluster").TokenTypes = nil
	b.refused("where a type is asked for", b.sign(b.rsa, header, claims), gateapi.ReasonWrongType)
}
