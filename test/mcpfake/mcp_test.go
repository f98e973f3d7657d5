package mcpfake_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

type reply struct {
	status int
	header http.Header
	body   string
	result map[string]any
	code   int
}

// post sends a JSON-RPC message and reads the answer, JSON or one event.
func post(t *testing.T, addr, body string, header map[string]string) reply {
	t.Helper()
	return send(t, http.MethodPost, addr, body, header)
}

func send(t *testing.T, method, addr, body string, header map[string]string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+"/mcp", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	out := reply{status: response.StatusCode, header: response.Header, body: string(data)}
	var message struct {
		Result map[string]any `json:"result"`
		Error  struct {
			Code int `json:"code"`
		} `json:"error"`
	}
	if _, event, found := bytes.Cut(data, []byte("data: ")); found {
		data = event
	}
	_ = json.Unmarshal(data, &message)
	out.result, out.code = message.Result, message.Error.Code
	return out
}

const (
	initialize  = `{"jsonrpc":"2.0","id":"a","method":"initialize","params":{"protocolVersion":"2025-06-18"}}`
	initialized = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
	list        = `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`
	discover    = `{"jsonrpc":"2.0","id":3,"method":"server/discover","params":{}}`
	whoami      = `{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"whoami"}}`
)

func TestStateful(t *testing.T) {
	fake, addr := start(t, mcpfake.Options{})
	opened := post(t, addr, initialize, nil)
	session := opened.header.Get("Mcp-Session-Id")
	if opened.status != 200 || session == "" || opened.result["protocolVersion"] != "2025-06-18" || !strings.Contains(opened.body, `"id":"a"`) {
		t.Fatalf("initialize: %+v", opened)
	}
	in := map[string]string{"Mcp-Session-Id": session}
	if got := post(t, addr, initialized, in); got.status != 202 || got.body != "" {
		t.Errorf("initialized: %+v", got)
	}
	if got := post(t, addr, list, in); len(got.result["tools"].([]any)) != 3 {
		t.Errorf("list: %+v", got)
	}
	if got := post(t, addr, list, nil); got.status != 400 || got.code != -32600 {
		t.Errorf("list without a session: %+v", got)
	}
	if got := post(t, addr, discover, in); got.status != 200 || got.code != -32601 {
		t.Errorf("unknown method: %+v", got)
	}
	if open := fake.Requests().Sessions; open != 1 {
		t.Errorf("%d sessions", open)
	}
	if got := send(t, http.MethodDelete, addr, "", in); got.status != 204 {
		t.Errorf("delete: %+v", got)
	}
	if got := post(t, addr, list, in); got.status != 404 {
		t.Errorf("list in an ended session: %+v", got)
	}
	if open := fake.Requests().Sessions; open != 0 {
		t.Errorf("%d sessions", open)
	}
}

func TestStateless(t *testing.T) {
	_, addr := start(t, mcpfake.Options{Dialect: mcpfake.Stateless, Answer: mcpfake.SSE})
	opened := post(t, addr, initialize, nil)
	if opened.header.Get("Mcp-Session-Id") != "" || opened.header.Get("Content-Type") != "text/event-stream" || opened.result == nil {
		t.Errorf("initialize: %+v", opened)
	}
	if got := post(t, addr, list, nil); len(got.result["tools"].([]any)) != 3 {
		t.Errorf("list: %+v", got)
	}
	if got := send(t, http.MethodDelete, addr, "", nil); got.status != 405 || got.header.Get("Allow") != "GET, POST" {
		t.Errorf("delete: %+v", got)
	}
}

func TestDiscover(t *testing.T) {
	_, addr := start(t, mcpfake.Options{Dialect: mcpfake.Discover})
	headers := func(method string) map[string]string {
		return map[string]string{"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method}
	}
	if got := post(t, addr, discover, headers("server/discover")); got.status != 200 || got.result["resultType"] != "complete" {
		t.Errorf("discover: %+v", got)
	}
	if got := post(t, addr, list, headers("tools/list")); got.status != 200 || len(got.result["tools"].([]any)) != 3 {
		t.Errorf("list: %+v", got)
	}
	if got := post(t, addr, initialize, nil); got.status != 400 || got.code != -32020 {
		t.Errorf("initialize: %+v", got)
	}
	if got := post(t, addr, initialize, headers("initialize")); got.status != 404 || got.code != -32601 {
		t.Errorf("initialize in the new revision: %+v", got)
	}
	if got := post(t, addr, list, headers("tools/call")); got.status != 400 || got.code != -32020 {
		t.Errorf("header differs from body: %+v", got)
	}
	old := maps.Clone(headers("tools/list"))
	old["MCP-Protocol-Version"] = "2025-11-25"
	if got := post(t, addr, list, old); got.status != 400 || got.code != -32022 {
		t.Errorf("older revision: %+v", got)
	}
	if got := send(t, http.MethodGet, addr, "", nil); got.status != 405 || got.header.Get("Allow") != "POST" {
		t.Errorf("get: %+v", got)
	}
}

func TestNotJSONRPC(t *testing.T) {
	_, addr := start(t, mcpfake.Options{})
	for body, code := range map[string]int{"{": -32700, "": -32700, "{}": -32600, `{"jsonrpc":"1.0","id":1,"method":"ping"}`: -32600} {
		if got := post(t, addr, body, nil); got.status != 400 || got.code != code {
			t.Errorf("%q: %+v", body, got)
		}
	}
}

// TestWhoami shows what reached the server, and of a token only that it was there.
func TestWhoami(t *testing.T) {
	_, addr := start(t, mcpfake.Options{Dialect: mcpfake.Stateless})
	tell := func(header map[string]string) (mcpfake.Seen, string) {
		got := post(t, addr, whoami, header)
		text := got.result["content"].([]any)[0].(map[string]any)["text"].(string)
		var seen mcpfake.Seen
		if err := json.Unmarshal([]byte(text), &seen); err != nil {
			t.Fatal(err)
		}
		return seen, text
	}
	seen, text := tell(map[string]string{"Authorization": "Bearer hunter2", "X-Forwarded-For": "192.0.2.1"})
	// The first 16 digits of: printf 'Bearer hunter2' | sha256sum
	if seen.Authorization != "present sha256:c13e77fb8a8c93fb" || strings.Contains(text, "hunter2") {
		t.Errorf("%s", text)
	}
	if seen.Host != addr || seen.Method != "POST" || seen.Headers.Get("X-Forwarded-For") != "192.0.2.1" {
		t.Errorf("%s", text)
	}
	if seen, _ := tell(nil); seen.Authorization != "absent" {
		t.Errorf("%+v", seen)
	}
}

func TestTools(t *testing.T) {
	_, addr := start(t, mcpfake.Options{Dialect: mcpfake.Stateless})
	call := func(params string) reply {
		return post(t, addr, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":`+params+`}`, nil)
	}
	for params, want := range map[string]string{
		`{"name":"echo","arguments":{"text":"hi"}}`:  `"text":"hi"`,
		`{"name":"sleep","arguments":{"seconds":0}}`: `"text":"slept 0 s"`,
		`{"name":"echo"}`: "-32602",
		`{"name":"sleep","arguments":{"seconds":-1}}`: "-32602",
		`{"name":"rm"}`: "Unknown tool: rm",
		`[]`:            "-32602",
	} {
		if got := call(params); got.status != 200 || !strings.Contains(got.body, want) {
			t.Errorf("%s: %+v, want %s", params, got, want)
		}
	}
}

// TestStream: events come while the stream stays open; a shutdown ends it in order.
func TestStream(t *testing.T) {
	fake, err := mcpfake.New(mcpfake.Options{Dialect: mcpfake.Stateless, StreamInterval: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- fake.Serve(listener) }()
	response, err := http.Get("http://" + listener.Addr().String() + "/mcp")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewReader(response.Body)
	for _, want := range []string{"id: 1\n", "id: 2\n", "id: 3\n"} {
		for line := ""; line != want; {
			if line, err = lines.ReadString('\n'); err != nil {
				t.Fatalf("the stream ended before %q: %v", want, err)
			}
		}
	}
	if err := fake.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := io.Copy(io.Discard, lines); err != nil {
		t.Errorf("the stream was cut: %v", err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}

func TestCounters(t *testing.T) {
	fake, addr := start(t, mcpfake.Options{})
	post(t, addr, initialize, nil)
	post(t, addr, initialize, map[string]string{"Authorization": "Bearer x"})
	post(t, addr, initialize, map[string]string{"Authorization": "Bearer x"})
	get(t, addr, "/health")
	if want := (mcpfake.Requests{WithAuthorization: 2, WithoutAuthorization: 1, Sessions: 3}); fake.Requests() != want {
		t.Errorf("%+v, want %+v", fake.Requests(), want)
	}
	response, err := http.Get("http://" + addr + "/_fake/requests")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var told mcpfake.Requests
	if err := json.NewDecoder(response.Body).Decode(&told); err != nil || told != fake.Requests() {
		t.Errorf("%+v, %v", told, err)
	}
	if status := get(t, addr, "/other"); status != 404 {
		t.Errorf("/other answers %d", status)
	}
}
