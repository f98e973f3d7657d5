// Package bareserver finds out what an MCP server does with requests of which it is the gate's business that they never
// come: without a token, and with a malformed one. The gate is what locks; the answer says what would happen without it.
//
// It must not be asked lightly: there are servers that fall over such a request.
package bareserver

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/upstream/loopback"
)

// Result is what a server does without its gate.
type Result string

// The results.
const (
	// NotAsked: nobody wanted to know, or it could not be asked in time.
	NotAsked Result = "NotAsked"
	// Refuses: it lets in neither of the two.
	Refuses Result = "Refuses"
	// Open: it lets in whoever comes, without a token.
	Open Result = "Open"
	// AnyBearer: it wants a token, and takes any.
	AnyBearer Result = "AnyBearer"
	// Resets: it received the request and ended the connection without an answer.
	Resets Result = "Resets"
	// Exits: it received the request, gave no proper answer, and refuses connections since. See Watch.
	Exits Result = "Exits"
	// Hangs: it received the request and was silent for three times Patience, while it answered another request.
	Hangs Result = "Hangs"
	// Unclear: what it answered is neither a refusal nor a result; or it is not known what came of the question. Whatever
	// rests on a time limit alone is Unclear: a slow server and a broken one look the same.
	Unclear Result = "Unclear"
)

// Patience is how long an answer to one of the two questions may take before the server is asked something else.
const Patience = 5 * time.Second

const malformed = "Bearer not-a-valid-jwt-token"

// Ask asks the server whose MCP endpoint this is, and does not ask further than it has to. It opens a session if the
// server lets it, and ends it. received reports whether a question reached the server that it did not answer as a server does:
// else nothing that the server does then is due to a question.
func Ask(ctx context.Context, endpoint string) (result Result, received bool) {
	a := asker{url: endpoint, patience: Patience, client: &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DialContext: loopback.DialContext},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	return a.askBoth(ctx)
}

type asker struct {
	url      string
	patience time.Duration
	client   *http.Client
}

func (a asker) askBoth(ctx context.Context) (result Result, received bool) {
	none, received := a.ask(ctx, "")
	if none != Refuses && none != Unclear {
		return none, received
	}
	bad, connected := a.ask(ctx, malformed)
	received = connected || received && none == Unclear
	switch bad {
	case Open:
		return AnyBearer, received
	case Refuses:
		return none, received
	default:
		return bad, received
	}
}

// initialize is the first request of any client of MCP 2025-11-25.
const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},` +
	`"clientInfo":{"name":"gatehouse","version":"1"}}}`

// ask returns Open if the request is let in, whatever authorization it has. A server that is slow to answer, and answers
// something else meanwhile, gets more time before it is said to hang.
func (a asker) ask(ctx context.Context, authorization string) (result Result, received bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var question delivery
	answered := make(chan Result, 1)
	go func() { answered <- a.question(question.traced(ctx), authorization, &question) }()
	if result, came := within(a.patience, answered); came {
		return result, question.connected.Load()
	}
	verdict := Unclear
	if a.answersAnything(ctx) {
		verdict = Hangs
	}
	if result, came := within(2*a.patience, answered); came {
		return result, question.connected.Load()
	}
	if !question.isSilent() {
		verdict = Unclear
	}
	cancel()
	<-answered
	return verdict, question.connected.Load()
}

func within(patience time.Duration, answered <-chan Result) (Result, bool) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case result := <-answered:
		return result, true
	case <-timer.C:
		return "", false
	}
}

func (a asker) question(ctx context.Context, authorization string, question *delivery) Result {
	response, err := a.send(ctx, http.MethodPost, a.url, initialize, http.Header{"Authorization": {authorization}})
	if err != nil {
		return question.failed(err)
	}
	defer response.Body.Close()
	if session := response.Header.Get("Mcp-Session-Id"); session != "" {
		defer a.leave(ctx, authorization, session)
	}
	switch code := response.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return Refuses
	case code < http.StatusOK || code >= http.StatusMultipleChoices:
		return Unclear
	}
	return read(response, question)
}

// answersAnything reports whether the server answers a request that no server has a reason to be slow with, in any way,
// within the patience. It is what tells a server that hangs at a question from one that is slow, or starved of CPU.
func (a asker) answersAnything(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, a.patience)
	defer cancel()
	target, err := url.JoinPath(a.url, "/../.well-known/gatehouse-is-anybody-there")
	if err != nil {
		return false
	}
	response, err := a.send(ctx, http.MethodGet, target, "", nil)
	if err != nil {
		return false
	}
	response.Body.Close()
	return true
}

func (a asker) send(ctx context.Context, method, target, body string, header http.Header) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		if values[0] != "" {
			request.Header[name] = values
		}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	return a.client.Do(request)
}

// leave ends a session. Not every server has that, and nothing depends on it.
func (a asker) leave(ctx context.Context, authorization, session string) {
	ctx, cancel := context.WithTimeout(ctx, a.patience)
	defer cancel()
	response, err := a.send(ctx, http.MethodDelete, a.url, "", http.Header{"Authorization": {authorization}, "Mcp-Session-Id": {session}})
	if err == nil {
		response.Body.Close()
	}
}
