package snapshot

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/revocation"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// model is what the mounted files should make of a gate, kept beside it in the simplest way: a verifier that is made
// anew for each question, and so remembers no token.
type model struct {
	*mounts

	random  *rand.Rand
	store   *Store
	at      time.Time
	pool    []keys.Private
	tokens  []string
	inForce map[string][]keys.Public // by provider
	revoked map[string]bool          // lines
	open    []verify.Candidate       // begun under snapshots of before
	seen    map[gateapi.Reason]int   // "" for accepted tokens
	known   int                      // accepted from memory
}

// Whatever comes in whatever order, what the gate remembers of tokens never shows: verdicts are those of one that
// remembers nothing.
func TestRememberedTokensAreJudgedAsNewOnes(t *testing.T) {
	const steps = 1000
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			m := newModel(t, seed)
			for step := range steps {
				m.step()
				m.compare(step)
				if t.Failed() {
					return
				}
			}
			for _, reason := range []gateapi.Reason{
				"", gateapi.ReasonExpired, gateapi.ReasonNotYetValid, gateapi.ReasonUnknownKey, gateapi.ReasonWrongAudience, gateapi.ReasonWrongType, gateapi.ReasonRevoked, gateapi.ReasonNoKeys, gateapi.ReasonMissingClaim,
			} {
				if m.seen[reason] == 0 {
					t.Errorf("the verdict %q never came", reason)
				}
			}
			if m.known < steps/20 {
				t.Errorf("only %d tokens were known: this proves little", m.known)
			}
		})
	}
}

func newModel(t *testing.T, seed uint64) *model {
	t.Helper()
	m := &model{
		mounts: newMounts(t), random: rand.New(rand.NewPCG(seed, 0)), at: time.Unix(2_000_000_000, 0),
		inForce: map[string][]keys.Public{}, revoked: map[string]bool{}, seen: map[gateapi.Reason]int{},
	}
	for range 3 {
		key, err := keys.Generate(keys.EdDSA)
		must(t, err)
		m.pool = append(m.pool, key)
	}
	for range 20 {
		m.tokens = append(m.tokens, m.mint())
	}
	m.config.Limits.TokenBytes = 8 << 10
	for i, provider := range m.config.Providers {
		m.config.Providers[i].Keys.Files = []string{gateapi.KeysFile(provider.Name)} // a user's, who may delete it
	}
	m.writeConfig()
	m.source.Now = func() time.Time { return m.at }
	for range m.pool {
		m.changeKeys("a")
		m.changeKeys("b")
	}
	var err error
	m.store, err = Open(m.source)
	must(t, err)
	return m
}

func pick[T any](m *model, from ...T) T { return from[m.random.IntN(len(from))] }

// mint makes a token that is good in some worlds.
func (m *model) mint() string {
	key := pick(m, m.pool...)
	claims := jwt.MapClaims{
		"iss": pick(m, "urn:a", "urn:a", "urn:a", "urn:a", "urn:b", "urn:b", "urn:b", "urn:c"), "aud": pick(m, "x", "x", "x", "y"), "sub": pick(m, "alice", "bob"),
		"iat": m.at.Unix() - int64(m.random.IntN(300)), "exp": m.at.Unix() + int64(m.random.IntN(600)),
		"jti": fmt.Sprint(m.random.IntN(20)), "team": pick(m, "red", "blue"), "scope": pick(m, "read", "read write"),
	}
	if m.random.IntN(4) == 0 {
		delete(claims, "iat")
	}
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
	token.Header["kid"], token.Header["typ"] = key.ID(), pick(m, "at+jwt", "at+jwt", "at+jwt", "JWT")
	text, err := token.SigningString()
	must(m.t, err)
	signature, err := key.Sign(text)
	must(m.t, err)
	return text + "." + token.EncodeSegment(signature)
}

// step changes one thing.
func (m *model) step() {
	m.t.Helper()
	if m.random.IntN(10) == 0 {
		if candidate, denial := m.store.Current().Verifier.Screen(pick(m, m.tokens...)); denial == nil {
			m.open = append(m.open, candidate)
		}
	}
	switch m.random.IntN(20) {
	case 0:
		m.changeKeys(pick(m, "a", "b"))
	case 1:
		m.changeRevocations()
	case 2:
		m.changePolicy(&m.config.Providers[m.random.IntN(2)])
	case 3, 4, 5:
		m.at = m.at.Add(time.Duration(m.random.IntN(240)-110) * time.Second)
	case 6, 7, 8:
		m.tokens[m.random.IntN(len(m.tokens))] = m.mint()
	default: // nothing: what is known is asked for again
	}
	m.store.Poll()
	// Verifications that began before the change end behind it.
	if len(m.open) > 3 {
		for _, candidate := range m.open {
			candidate.Verify()
		}
		m.open = nil
	}
}

func (m *model) changeKeys(provider string) {
	m.t.Helper()
	set := m.inForce[provider]
	if key := pick(m, m.pool...).Public(); slices.ContainsFunc(set, func(k keys.Public) bool { return k.ID == key.ID }) {
		set = slices.DeleteFunc(slices.Clone(set), func(k keys.Public) bool { return k.ID == key.ID })
	} else {
		set = append(slices.Clone(set), key)
	}
	m.inForce[provider] = set
	if len(set) == 0 {
		must(m.t, os.Remove(filepath.Join(m.source.KeysDir, gateapi.KeysFile(provider))))
		return
	}
	data, err := keys.MarshalPublic(set)
	must(m.t, err)
	m.writeKeys(provider, data)
}

func (m *model) changeRevocations() {
	m.t.Helper()
	line := pick(m, fmt.Sprint("jti:", m.random.IntN(20)), "sub:alice", "kid:"+pick(m, m.pool...).ID(),
		"issuedBefore:"+m.at.Add(-200*time.Second).UTC().Format(time.RFC3339),
		"issuedBefore:"+m.at.Add(-100*time.Second).UTC().Format(time.RFC3339)+" bob")
	m.revoked[line] = true
	if m.random.IntN(2) == 0 {
		m.revoked = map[string]bool{}
	}
	m.writeRevoked(m.list())
}

func (m *model) list() string { return strings.Join(slices.Sorted(maps.Keys(m.revoked)), "\n") }

func (m *model) changePolicy(p *gateapi.Provider) {
	m.t.Helper()
	switch m.random.IntN(6) {
	case 0:
		p.Audiences = pick(m, []string{"x"}, []string{"x"}, []string{"x", "y"}, []string{"y"})
	case 1:
		p.ClockSkewSeconds = pick[int32](m, 0, 60)
	case 2:
		p.MaxTokenLifetimeSeconds = pick[int32](m, 0, 0, 300)
	case 3:
		p.TokenTypes = pick(m, nil, nil, nil, []string{"JWT"}, []string{"JWT", "at+jwt"}, []string{"JWT", "at+jwt"})
	case 4:
		p.IdentityClaims = pick(m, nil, []string{"sub", "team"})
	default:
		m.config.Upstream.ClaimHeaders = pick(m, nil, []gateapi.ClaimHeader{{Header: "X-Team", Claim: "team"}})
	}
	m.writeConfig()
}

// compare asks both about some tokens.
func (m *model) compare(step int) {
	m.t.Helper()
	list, err := revocation.Parse([]byte(m.list()))
	must(m.t, err)
	for range 3 {
		raw := pick(m, m.tokens...)
		wantPrincipal, wantDenial := verify.New(m.config, "", m.inForce, list, m.source.Now).Verify(raw)
		candidate, denial := m.store.Current().Verifier.Screen(raw)
		var principal verify.Principal
		if denial == nil {
			if candidate.Verified() {
				m.known++
			}
			principal, denial = candidate.Verify()
		}
		if !reflect.DeepEqual(principal, wantPrincipal) || !reflect.DeepEqual(denial, wantDenial) {
			config, _ := json.Marshal(m.config)
			m.t.Fatalf("step %d: got %+v %+v\nwant %+v %+v\ntoken %s\nconfiguration %s\nrevoked %s",
				step, principal, denial, wantPrincipal, wantDenial, raw, config, m.list())
		}
		reason := gateapi.Reason("")
		if denial != nil {
			reason = denial.Reason
		}
		m.seen[reason]++
	}
}
