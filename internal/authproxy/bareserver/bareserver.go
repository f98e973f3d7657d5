// Package bareserver finds out what an MCP server does with requests of which it is the gate's business that they never
// come: without a token, and with a malformed one. The gate is what locks; the answer says what would happen without it.
//
// It must not be asked lightly: there are servers that fall over such a request.
package bareserver

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"syscall"
	"time"
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
	// Resets: it ends the connection without an answer.
	Resets Result = "Resets"
	// Exits: it no longer listened soon afterwards.
	Exits Result = "Exits"
	// Hangs: no answer came within Patience.
	Hangs Result = "Hangs"
	// Unclear: what it answered is neither a refusal nor a result; or it is not known what came of the question.
	Unclear Result = "Unclear"
)

// Patience is how long an answer to one of the two questions may take.
const Patience = 5 * time.Second

const malformed = "Bearer not-a-valid-jwt-token"

// Ask asks the server whose MCP endpoint this is, and does not ask further than it has to. It opens a session if the
// server lets it, and ends it.
func Ask(ctx context.Context, url string) Result {
	a := asker{url: url, client: &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	none := a.ask(ctx, "")
	if none != Refuses && none != Unclear {
		return none
	}
	switch bad := a.ask(ctx, malformed); bad {
	case Open:
		return AnyBearer
	case Refuses:
		return none
	default:
		return bad
	}
}

type asker struct {
	url    string
	client *http.Client
}

// initialize is the first request of any client of MCP 2025-11-25.
const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},` +
	`"clientInfo":{"name":"gatehouse","version":"1"}}}`

// ask gives Open if the request is let in, whatever authorization it has.
func (a asker) ask(ctx context.Context, authorization string) Result {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	response, err := a.send(ctx, http.MethodPost, initialize, http.Header{"Authorization": {authorization}})
	if err != nil {
		return failed(ctx, err)
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
	return read(ctx, response)
}

func (a asker) send(ctx context.Context, method, body string, header http.Header) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, a.url, strings.NewReader(body))
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
	response, err := a.send(ctx, http.MethodDelete, "", http.Header{"Authorization": {authorization}, "Mcp-Session-Id": {session}})
	if err == nil {
		response.Body.Close()
	}
}

// failed judges an exchange that brought no answer.
func failed(ctx context.Context, err error) Result {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return Exits
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Resets
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return Hangs
	default:
		return Unclear
	}
}

// read looks for a JSON-RPC answer, in the body or in one of its events.
func read(ctx context.Context, response *http.Response) Result {
	const enough = 256 << 10
	body := io.LimitReader(response.Body, enough)
	media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if media != "text/event-stream" {
		text, err := io.ReadAll(body)
		if err != nil {
			return failed(ctx, err)
		}
		return judge(text)
	}
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, enough)
	for lines.Scan() {
		data, isData := strings.CutPrefix(lines.Text(), "data:")
		if answer := judge([]byte(data)); isData && answer != Unclear {
			return answer
		}
	}
	if err := lines.Err(); err != nil {
		return failed(ctx, err)
	}
	return Unclear
}

// judge: some servers refuse with a JSON-RPC error and status 200.
func judge(text []byte) Result {
	var answer struct{ Result, Error json.RawMessage }
	switch err := json.Unmarshal(text, &answer); {
	case err != nil:
		return Unclear
	case len(answer.Result) > 0 && string(answer.Result) != "null":
		return Open
	case len(answer.Error) > 0 && string(answer.Error) != "null":
		return Refuses
	default:
		return Unclear
	}
}
