package wire

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// Response is a JSON-RPC 2.0 response.
type Response struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  json.RawMessage `json:"result"`
	Error   *rpcError       `json:"error"`
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	// Data is what the gate adds to its refusals; servers put other things there.
	Data json.RawMessage `json:"data"`
}

// Reason is "reason" in the error's data, where the gate puts it; "" when it is absent or no reason of a gate.
func (e *rpcError) Reason() string {
	var data struct {
		Reason string `json:"reason"`
	}
	if e == nil || json.Unmarshal(e.Data, &data) != nil || !probe.IsReason(data.Reason) {
		return ""
	}
	return data.Reason
}

// Failed: the request failed, as an error or as a result that says "isError", in the way of tools.
func (r Response) Failed() bool {
	var result struct {
		IsError bool `json:"isError"`
	}
	return r.Error != nil || (json.Unmarshal(r.Result, &result) == nil && result.IsError)
}

// ParseResponse reads body as the response to the request id; ok is false when it is anything else.
func ParseResponse(body []byte, id string) (out Response, ok bool) {
	if json.Unmarshal(body, &out) != nil || out.Version != "2.0" || string(out.ID) != id {
		return Response{}, false
	}
	return out, (out.Error != nil) != (len(out.Result) > 0 && string(out.Result) != "null")
}

// readEvent reads a server-sent event stream until an event holds the response to the request id, and gives its data;
// nil when the stream ends first. Other messages may come before it.
func readEvent(stream io.Reader, id string) ([]byte, error) {
	reader := bufio.NewReader(stream)
	var data []byte
	for {
		line, err := reader.ReadBytes('\n')
		trimmed := bytes.TrimRight(line, "\r\n")
		if value, found := bytes.CutPrefix(trimmed, []byte("data:")); found {
			data = append(append(data, bytes.TrimPrefix(value, []byte(" "))...), '\n')
		}
		if len(trimmed) == 0 || err != nil {
			if _, ok := ParseResponse(data, id); ok {
				return data, nil
			}
			data = nil
		}
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
