package remote_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/remote"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

func TestGoodSet(t *testing.T) {
	b := newBench(t)
	document, ids := newKeySet(t, keys.EdDSA, keys.ES256)
	asked := make(chan *http.Request, 10)
	root := b.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r
		http.SetCookie(w, &http.Cookie{Name: "tracking", Value: "1"})
		send(w, document)
	}))
	fetcher, result := b.start(b.provider(root + "/jwks?policy=a"))
	if result != remote.Loaded {
		t.Fatalf("got %s: %s", result, fetcher.Status().LastError)
	}
	status := fetcher.Status()
	if status.Provider != "idp" || !status.LastGood.Equal(b.clock()) || status.LastError != "" || !slices.Equal(status.KeyIDs, ids) {
		t.Errorf("got %+v", status)
	}
	before, revision := fetcher.Keys()
	if len(before) != 2 || revision == 0 {
		t.Errorf("got %d keys in revision %d", len(before), revision)
	}
	if b.again(fetcher) != remote.Loaded {
		t.Errorf("the second time: %s", fetcher.Status().LastError)
	}
	if _, after := fetcher.Keys(); after != revision {
		t.Error("the same keys got another revision")
	}
	for range 2 {
		r := <-asked
		want := http.Header{
			"Accept": {"application/jwk-set+json, application/json"}, "Accept-Encoding": {"identity"}, "User-Agent": {"gatehouse"},
		}
		if r.Method != http.MethodGet || r.RequestURI != "/jwks?policy=a" || fmt.Sprint(r.Header) != fmt.Sprint(want) {
			t.Errorf("asked %s %s with %v", r.Method, r.RequestURI, r.Header)
		}
	}
}

func TestKeysOfOtherAlgorithmsAreLeftOut(t *testing.T) {
	b := newBench(t)
	document, ids := newKeySet(t, keys.RS256, keys.ES256)
	fetcher, _ := b.start(b.provider(b.serve(always(200, document))))
	if got := fetcher.Status().KeyIDs; !slices.Equal(got, ids[1:]) {
		t.Errorf("got %v, want %v", got, ids[1:])
	}
}

func always(status int, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		send(w, body)
	}
}

// One faulty key of an issuer costs no other: neither at the start nor after a rotation.
func TestFaultyKeyOfAnIssuer(t *testing.T) {
	good, ids := newKeySet(t, keys.ES256)
	with := func(faulty string) []byte {
		return []byte(strings.Replace(string(good), `{"keys":[`, `{"keys":[`+faulty+",", 1))
	}
	for name, faulty := range map[string]string{
		"EC without y":      `{"kty":"EC","kid":"a","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`,
		"RSA with only x5c": `{"kty":"RSA","kid":"a","x5c":["AAAA"]}`,
		"oct":               `{"kty":"oct","kid":"a","k":"AAAA"}`,
		"private half":      `{"kty":"EC","kid":"a","d":"AQAB"}`,
		"a number":          `7`,
		"a member twice":    `{"kty":"EC","kid":"a","kid":"a"}`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			answer := &versioned{body: with(faulty)}
			fetcher, result := b.start(b.provider(b.serve(answer)))
			status := fetcher.Status()
			if result != remote.Loaded || !slices.Equal(status.KeyIDs, ids) || len(status.Faulty) != 1 || !strings.HasPrefix(status.Faulty[0], "key 0 (") {
				t.Fatalf("got %s, %+v", result, status)
			}
			answer.set(good, nil)
			b.again(fetcher)
			if got := fetcher.Status(); len(got.Faulty) != 0 || !slices.Equal(got.KeyIDs, ids) {
				t.Errorf("mended: got %+v", got)
			}
		})
	}
}

// Whatever an issuer answers, what it said before stays in force.
func TestBadAnswers(t *testing.T) {
	good, ids := newKeySet(t, keys.ES256)
	other, _ := newKeySet(t, keys.ES256)
	foreign, _ := newKeySet(t, keys.RS256)
	private, err := keys.Generate(keys.ES256)
	must(t, err)
	leaked, err := keys.MarshalPrivate([]keys.Private{private})
	must(t, err)
	redirect := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/moved" {
				send(w, other)
				return
			}
			http.Redirect(w, r, "/moved", status)
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		result remote.Result
		says   string
	}{
		"500":                 {always(500, other), remote.BadStatus, "status 500"},
		"404":                 {always(404, other), remote.BadStatus, "status 404"},
		"206":                 {always(206, other), remote.BadStatus, "status 206"},
		"304 without a cause": {always(304, nil), remote.BadStatus, "status 304"},
		"204":                 {always(204, nil), remote.BadStatus, "status 204"},
		"301":                 {redirect(301), remote.BadStatus, "redirects are not followed"},
		"302":                 {redirect(302), remote.BadStatus, "redirects are not followed"},
		"308":                 {redirect(308), remote.BadStatus, "redirects are not followed"},
		"nothing":             {always(200, nil), remote.BadDocument, "JWK Set"},
		"a web page":          {always(200, []byte("<html>")), remote.BadDocument, "JWK Set"},
		"half a set":          {always(200, other[:len(other)/2]), remote.BadDocument, "JWK Set"},
		"an empty set":        {always(200, []byte(`{"keys":[]}`)), remote.BadDocument, "empty"},
		"a private key":       {always(200, leaked), remote.BadDocument, "private"},
		"keys of no use here": {always(200, foreign), remote.BadDocument, "no key of the set is for"},
		"a giant":             {giant, remote.BadDocument, "longer than"},
		"without end":         {endless, remote.BadDocument, "longer than"},
		"a gzip bomb":         {bomb, remote.BadDocument, "content encoding"},
		"less than announced": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(other)+1))
			send(w, other)
		}, remote.Unreachable, "unexpected EOF"},
		"reset in the middle": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			send(w, other[:10])
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				conn.Close()
			}
		}, remote.Unreachable, "EOF"},
		"a giant header": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 64<<10))
			send(w, other)
		}, remote.Unreachable, "server response headers exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			turn := make(chan http.HandlerFunc, 1)
			turn <- always(200, good)
			root := b.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				select {
				case first := <-turn:
					first(w, r)
				default:
					c.answer(w, r)
				}
			}))
			fetcher, result := b.start(b.provider(root + "/keys?secret=hush"))
			if result != remote.Loaded {
				t.Fatalf("the good answer: %s", fetcher.Status().LastError)
			}
			goodAt := b.clock()
			if got := b.again(fetcher); got != c.result {
				t.Errorf("got %s, want %s", got, c.result)
			}
			b.check(fetcher, c.says)
			if status := fetcher.Status(); !slices.Equal(status.KeyIDs, ids) || !status.LastGood.Equal(goodAt) {
				t.Errorf("the good keys are not in force: %+v", status)
			}
		})
	}
}

// check wants this error in the status, in one line and without what may be secret.
func (b *bench) check(fetcher *remote.Fetcher, says string) {
	b.t.Helper()
	text := fetcher.Status().LastError
	if !strings.Contains(text, says) || strings.ContainsAny(text, "\r\n\x00") || strings.Contains(text, "hush") {
		b.t.Errorf("got %q, want a line with %q", text, says)
	}
}

func giant(w http.ResponseWriter, _ *http.Request) {
	send(w, []byte(`{"keys":[],"x":"`+strings.Repeat("x", 1<<20)+`"}`))
}

func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		if _, err := w.Write(make([]byte, 64<<10)); err != nil {
			return
		}
	}
}

// packed is small, and four times what may be read when it is unpacked.
var packed = sync.OnceValue(func() []byte {
	var out bytes.Buffer
	packer := gzip.NewWriter(&out)
	send(packer, make([]byte, 4<<20))
	packer.Close()
	return out.Bytes()
})

func bomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	send(w, packed())
}

// Servers that are no HTTP servers, or not in time.
func TestNoAnswer(t *testing.T) {
	closed := listen(t)
	closed.Close()
	for name, c := range map[string]struct {
		handle func(net.Conn)
		says   string
	}{
		"nobody listens":         {nil, "connection refused"},
		"hangs":                  {func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }, "exceeded"},
		"closes":                 {func(conn net.Conn) { readSome(conn) }, "EOF"},
		"half a header":          {func(conn net.Conn) { readSome(conn); send(conn, []byte("HTTP/1.1 200 OK\r\nContent-Le")) }, "malformed"},
		"no HTTP":                {func(conn net.Conn) { readSome(conn); send(conn, []byte("\x00\x1b[31mSSH-2.0\r\n\r\n")) }, "malformed HTTP"},
		"body slower than time":  {func(conn net.Conn) { drip(conn, "HTTP/1.1 200 OK\r\n\r\n", " ") }, "exceeded"},
		"header slower as well":  {func(conn net.Conn) { drip(conn, "HTTP/1.1 200 OK\r\nX: ", "x") }, "exceeded"},
		"hints without an end":   {func(conn net.Conn) { drip(conn, "", "HTTP/1.1 103 Early Hints\r\n\r\n") }, ""},
		"TLS where http is said": {func(conn net.Conn) { readSome(conn); send(conn, []byte{0x15, 3, 1, 0, 2, 2, 40}) }, "malformed HTTP"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			address := closed.Addr()
			if c.handle != nil {
				address = serveRaw(t, c.handle)
			}
			provider := b.provider("http://" + address.String() + "/keys?secret=hush")
			provider.Keys.Remote.AllowHTTP = true
			fetcher, result := b.start(provider)
			if result != remote.Unreachable {
				t.Errorf("got %s, want unreachable", result)
			}
			b.check(fetcher, c.says)
			if set, revision := fetcher.Keys(); set != nil || revision != 0 {
				t.Errorf("keys from nowhere: %v in revision %d", set, revision)
			}
		})
	}
}

func readSome(conn net.Conn) { _, _ = conn.Read(make([]byte, 4096)) }

// send writes to whom may have left.
func send(w io.Writer, data []byte) { _, _ = w.Write(data) }

func drip(conn net.Conn, first, then string) {
	readSome(conn)
	send(conn, []byte(first))
	for {
		if _, err := io.WriteString(conn, then); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { listener.Close() })
	return listener
}

func serveRaw(t *testing.T, handle func(net.Conn)) net.Addr {
	t.Helper()
	listener := listen(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				handle(conn)
			}()
		}
	}()
	return listener.Addr()
}
