package remote_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/remote"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// versioned answers with what it was last given, and remembers the conditions of each request.
type versioned struct {
	mu         sync.Mutex
	body       []byte
	header     http.Header
	conditions []string
}

func (v *versioned) set(body []byte, header http.Header) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.body, v.header = body, header
}

func (v *versioned) asked() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.conditions)
}

func (v *versioned) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	condition := r.Header.Get("If-None-Match") + "|" + r.Header.Get("If-Modified-Since")
	v.conditions = append(v.conditions, condition)
	if v.body == nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	for name, values := range v.header {
		w.Header()[name] = values
	}
	if etag := w.Header().Get("ETag"); etag != "" && r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	send(w, v.body)
}

func TestConditionalRequests(t *testing.T) {
	b := newBench(t)
	first, ids := newKeySet(t, keys.ES256)
	second, newIDs := newKeySet(t, keys.ES256)
	const date = "Mon, 23 Nov 2026 10:00:00 GMT"
	issuer := &versioned{body: first, header: http.Header{"Etag": {`"1"`}, "Last-Modified": {date}}}
	fetcher, _ := b.start(b.provider(b.serve(issuer)))
	_, revision := fetcher.Keys()

	step := func(what string, result remote.Result, want []string) {
		t.Helper()
		if got := b.again(fetcher); got != result {
			t.Errorf("%s: got %s, want %s", what, got, result)
		}
		if got := fetcher.Status().KeyIDs; !slices.Equal(got, want) {
			t.Errorf("%s: keys %v, want %v", what, got, want)
		}
	}
	step("nothing new", remote.Unchanged, ids)
	if _, now := fetcher.Keys(); now != revision || !fetcher.Status().LastGood.Equal(b.clock()) {
		t.Errorf("revision %d became %d, last good %v", revision, now, fetcher.Status().LastGood)
	}
	// A set that was refused must not be confirmed later as if it had been good.
	issuer.set([]byte(`{"keys":[]}`), http.Header{"Etag": {`"bad"`}})
	step("a bad set", remote.BadDocument, ids)
	issuer.set(second, http.Header{"Etag": {`"2"`}})
	step("a new set", remote.Loaded, newIDs)
	issuer.set(second, http.Header{"Etag": {`"has space"`}, "Last-Modified": {"yesterday"}})
	step("validators of no use", remote.Loaded, newIDs)
	issuer.set(second, http.Header{"Etag": {`"` + strings.Repeat("x", 300) + `"`}})
	step("a long one", remote.Loaded, newIDs)
	step("without any", remote.Loaded, newIDs)
	want := []string{"|", `"1"|` + date, `"1"|` + date, `"1"|` + date, `"2"|`, "|", "|"}
	if got := issuer.asked(); !slices.Equal(got, want) {
		t.Errorf("conditions\n%q, want\n%q", got, want)
	}
}

func TestUnchangedKeepsASetAlive(t *testing.T) {
	b := newBench(t)
	document, ids := newKeySet(t, keys.ES256)
	issuer := &versioned{body: document, header: http.Header{"Etag": {`"1"`}}}
	fetcher, _ := b.start(b.provider(b.serve(issuer)))
	b.advance(40 * time.Minute)
	if got := b.again(fetcher); got != remote.Unchanged {
		t.Fatalf("got %s", got)
	}
	b.advance(40 * time.Minute)
	if got := fetcher.Status().KeyIDs; !slices.Equal(got, ids) {
		t.Errorf("got %v", got)
	}
	// The issuer fails, and time passes.
	issuer.set(nil, nil)
	if got := b.again(fetcher); got != remote.BadStatus {
		t.Fatalf("got %s", got)
	}
	b.advance(20*time.Minute - 31*time.Second)
	if got := fetcher.Status().KeyIDs; !slices.Equal(got, ids) {
		t.Errorf("at the end of their time: %v", got)
	}
	b.advance(time.Second)
	lastGood := fetcher.Status().LastGood
	if set, revision := fetcher.Keys(); set != nil || revision != 0 || fetcher.Status().LastError == "" || lastGood.IsZero() {
		t.Errorf("too old: %d keys in revision %d, %+v", len(set), revision, fetcher.Status())
	}
	// Afterwards it is asked for the whole set: nothing is there that could be unchanged.
	issuer.set(document, http.Header{"Etag": {`"1"`}})
	if got := b.again(fetcher); got != remote.Loaded {
		t.Errorf("after all: got %s", got)
	}
	if got := fetcher.Status().KeyIDs; !slices.Equal(got, ids) {
		t.Errorf("after all: %v", got)
	}
}
