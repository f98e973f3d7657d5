package gate_test

import (
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// idp is an issuer that publishes its keys, on loopback.
type idp struct {
	t   *testing.T
	url string

	mu      sync.Mutex
	keys    []keys.Private // the last one signs
	down    bool
	fetches int
}

func newIDP(t *testing.T) *idp {
	t.Helper()
	i := &idp{t: t, keys: []keys.Private{newKey(t)}}
	i.url = "http://" + serveHTTP(t, i.serve).String() + "/keys"
	return i
}

func (i *idp) serve(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.fetches++
	if i.down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var public []keys.Public
	for _, key := range i.keys {
		public = append(public, key.Public())
	}
	document, err := keys.MarshalPublic(public)
	if err != nil {
		i.t.Error(err)
	}
	_, _ = w.Write(document)
}

func (i *idp) fail(down bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.down = down
}

func (i *idp) fetched() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetches
}

// rotate lets a new key sign from now on; those before still verify.
func (i *idp) rotate() {
	i.t.Helper()
	next := newKey(i.t)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = append(i.keys, next)
}

// retire takes all keys back but the one that signs.
func (i *idp) retire() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = i.keys[len(i.keys)-1:]
}

func (i *idp) template(issuer string) token.Template {
	i.mu.Lock()
	defer i.mu.Unlock()
	return token.Template{
		Key: i.keys[len(i.keys)-1], Issuer: issuer, Audience: "urn:gatehouse:test", Subject: "someone", Lifetime: 10 * time.Minute,
	}
}

// provider is one whose keys are fetched from i.
func (i *idp) provider(name, issuer string) gateapi.Provider {
	return gateapi.Provider{
		Name: name, Issuer: issuer, Audiences: []string{"urn:gatehouse:test"}, Algorithms: []keys.Algorithm{keys.ES256},
		Keys: gateapi.KeySource{Remote: &gateapi.RemoteKeys{JWKSURI: i.url, AllowHTTP: true, MaxStaleSeconds: 3600}},
	}
}

// fakeClock stands still but for advance.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

func withClock(c *fakeClock) siteOption {
	return func(s *site, o *gate.Options) { s.now, o.Now = c.Now, c.Now }
}

// onLoopback lets keys be fetched from issuers of this test.
func onLoopback(_ *site, o *gate.Options) {
	o.JudgeKeyAddress = func(netip.Addr) error { return nil }
}

const remoteIssuer = "https://issuer.example"

// newRemoteSite is a gate whose only provider is i, with its keys loaded.
func newRemoteSite(t *testing.T, i *idp, c *fakeClock) *site {
	t.Helper()
	s := prepareSite(t, serveHTTP(t, echo))
	s.config.Providers = []gateapi.Provider{i.provider("idp", remoteIssuer)}
	s.writeConfig()
	s.start(withClock(c), onLoopback)
	s.eventually("the gate is ready", func() bool { return s.adminGet("/readyz").status == http.StatusOK })
	return s
}

func mint(t *testing.T, template token.Template, now time.Time) string {
	t.Helper()
	raw, err := template.Good(now)
	must(t, err)
	return raw
}

// Clients keep coming while the issuer turns its keys over, each time signing with the new key at once: none of them is
// refused.
func TestRotationAtTheIssuerIsFollowed(t *testing.T) {
	i, c := newIDP(t), &fakeClock{now: time.Now()}
	s := newRemoteSite(t, i, c)
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				raw, err := i.template(remoteIssuer).Good(c.Now())
				if err != nil {
					t.Error(err)
					return
				}
				got, err := s.try(s.request(http.MethodPost, "/mcp", raw, strings.NewReader(ping)))
				if err != nil || got.status != http.StatusOK {
					t.Errorf("got %d %s, %v", got.status, got.body, err)
					return
				}
			}
		})
	}
	first := i.template(remoteIssuer)
	for range 5 {
		c.advance(31 * time.Second)
		i.rotate()
		newest := i.template(remoteIssuer).Key.ID()
		s.eventually("the new key is in force", func() bool {
			state, err := s.state(podUID)
			return err == nil && slices.Contains(state.Keys["idp"], newest)
		})
	}
	close(stop)
	clients.Wait()
	if got := i.fetched(); got != 6 {
		t.Errorf("5 rotations were followed in %d fetches", got-1)
	}
	i.retire()
	c.advance(31 * time.Second)
	stranger := first
	stranger.Key = newKey(t)
	s.post(mint(t, stranger, c.Now())) // makes the gate ask
	s.eventually("the retired key is refused", func() bool {
		return s.post(mint(t, first, c.Now())).Error.Data.Reason == "unknown_key"
	})
}

func TestStaleKeysCloseTheGate(t *testing.T) {
	i, c := newIDP(t), &fakeClock{now: time.Now()}
	s := newRemoteSite(t, i, c)
	good := func() answer { return s.post(mint(t, i.template(remoteIssuer), c.Now())) }
	if got := good(); got.status != http.StatusOK {
		t.Fatalf("at first: got %d %s", got.status, got.body)
	}
	i.fail(true)
	c.advance(time.Hour)
	stranger := i.template(remoteIssuer)
	stranger.Key = newKey(t)
	s.post(mint(t, stranger, c.Now())) // makes the gate ask
	s.eventually("the failure is in the state", func() bool {
		state, err := s.state(podUID)
		return err == nil && strings.Contains(state.Remote["idp"].LastError, "status 503")
	})
	if got := good(); got.status != http.StatusOK {
		t.Errorf("at the end of their time: got %d %s", got.status, got.body)
	}
	c.advance(time.Second)
	s.eventually("the keys are dropped", func() bool { return good().status == http.StatusServiceUnavailable })
	if got := good(); got.Error.Data.Reason != "no_keys" {
		t.Errorf("got %s", got.body)
	}
	if got := s.adminGet("/readyz"); got.status != http.StatusServiceUnavailable {
		t.Errorf("ready without keys: %s", got.body)
	}
	state, err := s.state(podUID)
	must(t, err)
	if len(state.Keys["idp"]) != 0 || state.Remote["idp"].MaxStaleSeconds != 3600 || c.Now().Sub(state.Remote["idp"].LastGood) != time.Hour+time.Second {
		t.Errorf("got %+v", state)
	}
	if got := s.adminGet("/metrics").body; !strings.Contains(got, `gatehouse_gate_remote_keys_age_seconds{provider="idp"} 3601`) ||
		!strings.Contains(got, `gatehouse_gate_keys{provider="idp"} 0`) ||
		!strings.Contains(got, `gatehouse_gate_key_fetches_total{provider="idp",result="bad_status"}`) {
		t.Errorf("metrics do not tell: %s", got)
	}
	i.fail(false)
	s.eventually("the gate is open again", func() bool { return good().status == http.StatusOK })
}

// However many keys are named that nobody has, the issuer is asked once in half a minute.
func TestFloodOfUnknownKeys(t *testing.T) {
	i, c := newIDP(t), &fakeClock{now: time.Now()}
	s := newRemoteSite(t, i, c)
	before := i.fetched()
	flood := func() {
		var clients sync.WaitGroup
		for range 8 {
			clients.Go(func() {
				template := i.template(remoteIssuer)
				for range 25 {
					key, err := keys.Generate(keys.ES256)
					must(t, err)
					template.Key = key
					got, err := s.try(s.request(http.MethodPost, "/mcp", mint(t, template, c.Now()), strings.NewReader(ping)))
					if err != nil || got.status != http.StatusUnauthorized || got.Error.Data.Reason != "unknown_key" {
						t.Errorf("got %d %s, %v", got.status, got.body, err)
						return
					}
				}
			})
		}
		clients.Wait()
	}
	flood()
	if got := i.fetched() - before; got != 1 {
		t.Errorf("the first flood: %d fetches", got)
	}
	c.advance(29 * time.Second)
	flood()
	if got := i.fetched() - before; got != 1 {
		t.Errorf("half a minute is not over: %d fetches", got)
	}
	c.advance(2 * time.Second)
	flood()
	if got := i.fetched() - before; got != 2 {
		t.Errorf("half a minute is over: %d fetches", got)
	}
}

// A token that is refused for anything else as well is no cause to ask.
func TestOnlyPlausibleTokensAskForKeys(t *testing.T) {
	i, c := newIDP(t), &fakeClock{now: time.Now()}
	s := newRemoteSite(t, i, c)
	before := i.fetched()
	for name, change := range map[string]func(*token.Template, *time.Time){
		"expired":          func(_ *token.Template, now *time.Time) { *now = now.Add(-time.Hour) },
		"not yet valid":    func(_ *token.Template, now *time.Time) { *now = now.Add(time.Hour) },
		"another audience": func(template *token.Template, _ *time.Time) { template.Audience = "urn:other" },
		"another issuer":   func(template *token.Template, _ *time.Time) { template.Issuer = "urn:other" },
		"nobody":           func(template *token.Template, _ *time.Time) { template.Subject = "" },
	} {
		template, now := i.template(remoteIssuer), c.Now()
		template.Key = newKey(t)
		change(&template, &now)
		if got := s.post(mint(t, template, now)); got.status != http.StatusUnauthorized {
			t.Errorf("%s: got %d %s", name, got.status, got.body)
		}
	}
	if got := i.fetched(); got != before {
		t.Errorf("they caused %d fetches", got-before)
	}
}

func TestRemoteProvidersComeAndGo(t *testing.T) {
	one, two := newIDP(t), newIDP(t)
	s := prepareSite(t, serveHTTP(t, echo))
	s.start(onLoopback)
	managed := s.config.Providers[0]
	status := func(template token.Template) string {
		got := s.post(mint(t, template, time.Now()))
		return strconv.Itoa(got.status) + " " + got.Error.Data.Reason
	}
	configure := func(providers ...gateapi.Provider) {
		s.config.Providers = append([]gateapi.Provider{managed}, providers...)
		s.writeConfig()
	}
	becomes := func(template token.Template, want string) {
		t.Helper()
		s.eventually(want, func() bool { return status(template) == want })
	}
	template := one.template(remoteIssuer)
	becomes(template, "401 wrong_issuer")
	configure(one.provider("idp", remoteIssuer))
	becomes(template, "200 ")
	// It moves: what the old place said is not believed any more.
	configure(two.provider("idp", remoteIssuer))
	becomes(template, "401 unknown_key")
	becomes(two.template(remoteIssuer), "200 ")
	configure(two.provider("idp", remoteIssuer), one.provider("another", "https://another.example"))
	becomes(one.template("https://another.example"), "200 ")
	configure()
	becomes(two.template(remoteIssuer), "401 wrong_issuer")
	if got := s.post(s.token()); got.status != http.StatusOK {
		t.Errorf("the other provider: got %d %s", got.status, got.body)
	}
	state, err := s.state(podUID)
	must(t, err)
	if len(state.Remote) != 0 {
		t.Errorf("got %+v", state.Remote)
	}
}

// One provider without keys does not make a gate unready that others can enter; and by default nothing on loopback is
// asked for keys.
func TestOneProviderWithoutKeys(t *testing.T) {
	i := newIDP(t)
	s := prepareSite(t, serveHTTP(t, echo))
	s.config.Providers = append(s.config.Providers, i.provider("idp", remoteIssuer))
	s.writeConfig()
	s.start()
	s.eventually("the gate is ready", func() bool { return s.adminGet("/readyz").status == http.StatusOK })
	s.eventually("the address is refused", func() bool {
		state, err := s.state(podUID)
		return err == nil && strings.Contains(state.Remote["idp"].LastError, "127.0.0.1 is the pod itself")
	})
	if got := s.post(mint(t, i.template(remoteIssuer), time.Now())); got.Error.Data.Reason != "no_keys" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := s.post(s.token()); got.status != http.StatusOK || i.fetched() != 0 {
		t.Errorf("got %d %s, %d fetches", got.status, got.body, i.fetched())
	}
}

// A request waits for an issuer that does not answer, but not for long, and nobody else waits.
func TestIssuerThatHangs(t *testing.T) {
	i, c := newIDP(t), &fakeClock{now: time.Now()}
	s := newRemoteSite(t, i, c)
	i.mu.Lock() // Now it hangs.
	defer i.mu.Unlock()
	template := token.Template{Key: newKey(t), Issuer: remoteIssuer, Audience: "urn:gatehouse:test", Subject: "x", Lifetime: time.Minute}
	if got := s.post(mint(t, template, c.Now())); got.Error.Data.Reason != "unknown_key" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	// Run must end although a fetch is under way.
	s.stop()
	if _, err := s.try(s.request(http.MethodPost, "/mcp", "", http.NoBody)); err == nil {
		t.Error("the gate is still there")
	}
}
