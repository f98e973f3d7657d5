package mcpfake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// entries are the faults that say 200 where something else is meant.
func entries() []fault {
	return []fault{
		{name: "open", seen: 12, when: "always", effect: "none: as without a fault, everybody is answered, whatever faults follow", request: passOn},
		{name: "rpc-error", seen: 16, when: "always", effect: "200 with a JSON-RPC error: refused in the body only", request: with(rpcRefusal)},
		{name: "tool-error", seen: 16, when: "always", effect: "200 with a result that has isError: refused in the body only", request: with(toolRefusal)},
		{name: "empty", seen: 17, when: "always", effect: "200 without a body", request: page(http.StatusOK, jsonType, "")},
		{name: "html", seen: 17, when: "always", effect: "200 with an HTML page", request: page(http.StatusOK, htmlType, "<html><body>It works!</body></html>")},
		{name: "login-page", seen: 17, when: "always", effect: "200 with an HTML form that asks for a password", request: page(http.StatusOK, htmlType,
			`<html><body><form action="/login" method="post"><input name="password" type="password"></form></body></html>`)},
		{name: "accepted", seen: 17, when: "always", effect: "202 without a body, to a request that wants an answer", request: page(http.StatusAccepted, jsonType, "")},
	}
}

// answers are the faults that answer, but not what was asked.
func answers() []fault {
	return []fault{
		{name: "not-json", seen: 31, when: "always", effect: "200 application/json with a body that is not JSON", request: page(http.StatusOK, jsonType, "{'jsonrpc': '2.0'}")},
		{name: "wrong-type", seen: 31, when: "always", effect: "200 with a right answer to initialize, called text/plain", request: with(func(w http.ResponseWriter, r *http.Request) { initialized(w, "text/plain", idOf(r)) })},
		{name: "wrong-id", seen: 31, when: "always", effect: "200 with the answer to another request", request: with(func(w http.ResponseWriter, _ *http.Request) { initialized(w, jsonType, json.RawMessage("0")) })},
		{name: "clock", argument: "DURATION", seen: 23, when: "always", effect: "as without it, with a Date that is this much off, such as 5m or -5m", request: clock},
	}
}

// passOn ends the search for a fault: the request is for the server itself.
func passOn(string) (answerer, error) {
	return func(http.ResponseWriter, *http.Request, func(int)) fate { return spared }, nil
}

// idOf is the id of the JSON-RPC request, which can be read again; null if there is none.
func idOf(r *http.Request) json.RawMessage {
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxBodyBytes))
	r.Body = io.NopCloser(bytes.NewReader(body))
	var req request
	if json.Unmarshal(body, &req) != nil || len(req.ID) == 0 {
		return json.RawMessage("null")
	}
	return req.ID
}

func rpcRefusal(w http.ResponseWriter, r *http.Request) {
	writeError(w, http.StatusOK, idOf(r), -32001, "unauthorized: a bearer token is required")
}

func toolRefusal(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, rpcResponse{Version: "2.0", ID: idOf(r), Result: map[string]any{
		"isError": true, "content": []map[string]any{{"type": "text", "text": "unauthorized"}},
	}})
}

func initialized(w http.ResponseWriter, mediaType string, id json.RawMessage) {
	data, _ := json.Marshal(rpcResponse{Version: "2.0", ID: id, Result: initialize(nil)}) //nolint:errchkjson // it holds nothing that JSON cannot say
	w.Header().Set("Content-Type", mediaType)
	_, _ = w.Write(data)
}

func clock(argument string) (answerer, error) {
	offset, err := time.ParseDuration(argument)
	if err != nil {
		return nil, fmt.Errorf("the duration must be like 5m or -5m")
	}
	return func(w http.ResponseWriter, _ *http.Request, _ func(int)) fate {
		w.Header().Set("Date", time.Now().Add(offset).UTC().Format(http.TimeFormat))
		return untouched
	}, nil
}
