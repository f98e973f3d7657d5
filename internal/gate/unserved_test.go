package gate_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// tokenOf mints a good token of an issuer that is fetched.
func (s *site) tokenOf(i *idp, issuer string) string {
	s.t.Helper()
	raw, err := i.template(issuer).Good(time.Now())
	must(s.t, err)
	return raw
}

// One provider that cannot be fetched keeps none of the others' users out, and its own wait.
func TestProviderThatCannotBeFetchedKeepsOnlyItsOwnUsersOut(t *testing.T) {
	const issuer = "https://corp.example"
	s, corp := prepareSite(t, serveHTTP(t, echo)), newIDP(t)
	corp.fail(true)
	s.config.Providers = append(s.config.Providers, corp.provider("corp", issuer))
	s.writeConfig()
	s.start(onLoopback)
	s.eventually("the gate is ready", func() bool { return s.adminGet("/readyz").status == http.StatusOK })
	if got := s.post(s.token()); got.status != http.StatusOK {
		t.Errorf("a user of another provider gets %d %s", got.status, got.body)
	}
	got := s.post(s.tokenOf(corp, issuer))
	if got.status != http.StatusServiceUnavailable || got.Error.Data.Reason != "no_keys" || got.header.Get("Retry-After") == "" {
		t.Errorf("a user of the provider gets %d %s", got.status, got.body)
	}
	for name, bearer := range map[string]string{"": "missing_token", "not-a-valid-jwt-token": "malformed_token", s.forged(): "bad_signature"} {
		if got := s.post(name); got.status != http.StatusUnauthorized || got.Error.Data.Reason != bearer {
			t.Errorf("%q gets %d %s, want %s", name, got.status, got.body, bearer)
		}
	}
	corp.fail(false)
	s.eventually("the provider is back", func() bool { return s.post(s.tokenOf(corp, issuer)).status == http.StatusOK })
}

// A pod takes no traffic before each provider was tried once: nobody is refused for want of keys that are on their way. A
// provider that comes later does not take it back.
func TestReadinessWaitsForTheFirstFetch(t *testing.T) {
	const issuer, late = "https://corp.example", "https://late.example"
	release, corp := make(chan struct{}), newIDP(t)
	slow := *corp.provider("corp", issuer).Keys.Remote
	slow.JWKSURI = "http://" + serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		<-release
		corp.serve(w, r)
	}).String() + "/keys"
	s := prepareSite(t, serveHTTP(t, echo))
	provider := corp.provider("corp", issuer)
	provider.Keys.Remote = &slow
	s.config.Providers = append(s.config.Providers, provider)
	s.writeConfig()
	s.start(onLoopback)
	if got := s.adminGet("/readyz"); got.status != http.StatusServiceUnavailable || got.body != "keys of a provider are being fetched for the first time\n" {
		t.Errorf("before the first fetch has ended: %d %q", got.status, got.body)
	}
	close(release)
	s.eventually("the gate is ready", func() bool { return s.adminGet("/readyz").status == http.StatusOK })
	if got := s.post(s.tokenOf(corp, issuer)); got.status != http.StatusOK {
		t.Errorf("a ready gate answers %d %s", got.status, got.body)
	}

	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	another := corp.provider("late", late)
	another.Keys.Remote = &gateapi.RemoteKeys{AllowHTTP: true, MaxStaleSeconds: 3600, JWKSURI: "http://" + serveHTTP(t, func(http.ResponseWriter, *http.Request) { <-never }).String() + "/keys"}
	s.config.Providers = append(s.config.Providers, another)
	s.writeConfig()
	s.eventually("the new provider is known", func() bool {
		state, err := s.state(podUID)
		_, known := state.Remote["late"]
		return err == nil && known
	})
	if got := s.adminGet("/readyz"); got.status != http.StatusOK {
		t.Errorf("a provider that was added later takes the pod out of service: %q", got.body)
	}
}

// Where no provider can be served there is nobody to let in.
func TestOnlyProviderThatCannotBeFetched(t *testing.T) {
	s, corp := prepareSite(t, serveHTTP(t, echo)), newIDP(t)
	corp.fail(true)
	s.config.Providers = []gateapi.Provider{corp.provider("corp", "https://corp.example")}
	s.writeConfig()
	s.start(onLoopback)
	s.eventually("the fetch has failed", func() bool {
		state, err := s.state(podUID)
		return err == nil && state.Remote["corp"].LastError != ""
	})
	if got := s.adminGet("/readyz"); got.status != http.StatusServiceUnavailable || got.body != "no keys are loaded\n" {
		t.Errorf("readyz: %d %q", got.status, got.body)
	}
	if got := s.post(s.tokenOf(corp, "https://corp.example")); got.status != http.StatusServiceUnavailable || got.Error.Data.Reason != "no_keys" {
		t.Errorf("a user gets %d %s", got.status, got.body)
	}
}
