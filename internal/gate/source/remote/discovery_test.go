package remote_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/remote"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// site is an issuer's host with documents at paths; it remembers what was asked.
type site struct {
	root string

	mu        sync.Mutex
	documents map[string]any // []byte as they are, a handler, else as JSON
	asked     []string
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.Path)
	document, found := s.documents[r.URL.Path]
	s.mu.Unlock()
	switch document := document.(type) {
	case nil:
		if !found {
			http.NotFound(w, r)
		}
	case []byte:
		send(w, document)
	case http.HandlerFunc:
		document(w, r)
	default:
		_ = json.NewEncoder(w).Encode(document)
	}
}

func (s *site) paths() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

type metadata map[string]any

func TestDiscoveryPlaces(t *testing.T) {
	document, ids := newKeySet(t, keys.ES256)
	for name, c := range map[string]struct{ issuer, place string }{
		"OpenID Connect":                  {"", "/.well-known/openid-configuration"},
		"OpenID Connect, with a path":     {"/tenant/1", "/tenant/1/.well-known/openid-configuration"},
		"OpenID Connect, with a slash":    {"/tenant/", "/tenant/.well-known/openid-configuration"},
		"RFC 8414":                        {"", "/.well-known/oauth-authorization-server"},
		"RFC 8414, with a path":           {"/tenant/1", "/.well-known/oauth-authorization-server/tenant/1"},
		"RFC 8414, OpenID's name, a path": {"/tenant/1", "/.well-known/openid-configuration/tenant/1"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			s := &site{}
			s.root = b.serve(s)
			s.documents = map[string]any{
				c.place: metadata{"issuer": s.root + c.issuer, "jwks_uri": s.root + "/keys"},
				"/keys": document,
			}
			fetcher, result := b.start(b.discovered(s.root + c.issuer))
			if result != remote.Loaded || !slices.Equal(fetcher.Status().KeyIDs, ids) {
				t.Fatalf("got %s: %s", result, fetcher.Status().LastError)
			}
			first := len(s.paths())
			b.again(fetcher)
			if got := s.paths()[first:]; !slices.Equal(got, []string{c.place, "/keys"}) {
				t.Errorf("the second time it asked %v", got)
			}
		})
	}
}

func TestBadDiscovery(t *testing.T) {
	document, _ := newKeySet(t, keys.ES256)
	plain := serveHTTP(t, always(200, document))
	const place = "/t/.well-known/openid-configuration"
	for name, c := range map[string]struct {
		answer func(root string) any
		result remote.Result
		says   string
	}{
		"nowhere": {func(string) any { return http.HandlerFunc(http.NotFound) }, remote.BadStatus, "status 404"},
		"of another issuer": {func(root string) any {
			return metadata{"issuer": root + "/other", "jwks_uri": root + "/keys"}
		}, remote.BadDocument, "another issuer"},
		"with a slash more": {func(root string) any {
			return metadata{"issuer": root + "/t/", "jwks_uri": root + "/keys"}
		}, remote.BadDocument, "differ in the slash"},
		"of a template": {func(root string) any {
			return metadata{"issuer": root + "/{tenantid}", "jwks_uri": root + "/keys"}
		}, remote.BadDocument, "is a template"},
		"in capitals": {func(root string) any {
			return metadata{"ISSUER": root + "/t", "JWKS_URI": root + "/keys"}
		}, remote.BadDocument, "names no issuer"},
		"issuer twice": {func(root string) any {
			return []byte(`{"issuer":"` + root + `/other","issuer":"` + root + `/t","jwks_uri":"` + root + `/keys"}`)
		}, remote.BadDocument, `"issuer" is there twice`},
		"jwks_uri twice": {func(root string) any {
			return []byte(`{"issuer":"` + root + `/t","jwks_uri":"` + root + `/keys","jwks_uri":"` + root + `/keys"}`)
		}, remote.BadDocument, `"jwks_uri" is there twice`},
		"JWKS_URI alone": {func(root string) any {
			return metadata{"issuer": root + "/t", "JWKS_URI": root + "/keys"}
		}, remote.BadDocument, "no jwks_uri"},
		"issuer is a list": {func(root string) any {
			return metadata{"issuer": []string{root + "/t"}, "jwks_uri": root + "/keys"}
		}, remote.BadDocument, "names no issuer"},
		"without jwks_uri": {func(root string) any { return metadata{"issuer": root + "/t"} }, remote.BadDocument, "no jwks_uri"},
		"http": {func(root string) any {
			return metadata{"issuer": root + "/t", "jwks_uri": plain}
		}, remote.Forbidden, "only https"},
		"a file": {func(root string) any {
			return metadata{"issuer": root + "/t", "jwks_uri": "file:///etc/passwd"}
		}, remote.Forbidden, "only https"},
		"with a user": {func(root string) any {
			return metadata{"issuer": root + "/t", "jwks_uri": strings.Replace(root, "https://", "https://me:hush@", 1)}
		}, remote.Forbidden, "without user"},
		"with a fragment": {func(root string) any {
			return metadata{"issuer": root + "/t", "jwks_uri": root + "/keys#hush"}
		}, remote.Forbidden, "fragment"},
		"no URL":       {func(root string) any { return metadata{"issuer": root + "/t", "jwks_uri": "https://%hush"} }, remote.Forbidden, "no URL"},
		"a web page":   {func(string) any { return []byte("<html>") }, remote.BadDocument, "not a JSON object"},
		"null":         {func(string) any { return []byte("null") }, remote.BadDocument, "not a JSON object"},
		"a giant":      {func(string) any { return http.HandlerFunc(giant) }, remote.BadDocument, "longer than"},
		"moved":        {func(string) any { return http.HandlerFunc(http.RedirectHandler("/keys", http.StatusFound).ServeHTTP) }, remote.BadStatus, "redirects"},
		"without keys": {func(root string) any { return metadata{"issuer": root + "/t", "jwks_uri": root + "/lost?hush"} }, remote.BadStatus, "/lost: status 404"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			s := &site{}
			s.root = b.serve(s)
			s.documents = map[string]any{place: c.answer(s.root), "/keys": document}
			fetcher, result := b.start(b.discovered(s.root + "/t"))
			if result != c.result {
				t.Errorf("got %s, want %s", result, c.result)
			}
			b.check(fetcher, c.says)
			if set, _ := fetcher.Keys(); set != nil {
				t.Error("there are keys")
			}
		})
	}
}

// The keys may be on another host, and move.
func TestKeysOnAnotherHost(t *testing.T) {
	b := newBench(t)
	ca := newAuthority(t)
	b.trust(ca)
	first, ids := newKeySet(t, keys.ES256)
	second, newIDs := newKeySet(t, keys.ES256)
	// Both call their first version so.
	oneHost := serveTLS(t, ca, &versioned{body: first, header: http.Header{"Etag": {`"1"`}}})
	otherHost := serveTLS(t, ca, &versioned{body: second, header: http.Header{"Etag": {`"1"`}}})
	s := &site{}
	s.root = serveTLS(t, ca, s)
	point := func(where string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.documents = map[string]any{"/.well-known/openid-configuration": metadata{"issuer": s.root, "jwks_uri": where}}
	}
	point(oneHost)
	fetcher, _ := b.start(b.discovered(s.root))
	if got := fetcher.Status().KeyIDs; !slices.Equal(got, ids) {
		t.Errorf("got %v: %s", got, fetcher.Status().LastError)
	}
	point(otherHost)
	b.again(fetcher)
	if got := fetcher.Status().KeyIDs; !slices.Equal(got, newIDs) {
		t.Errorf("moved: got %v: %s", got, fetcher.Status().LastError)
	}
}
