package bareserver

import (
	"bufio"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
)

// read looks for a JSON-RPC answer, in the body or in one of its events.
func read(response *http.Response, question *delivery) Result {
	const enough = 256 << 10
	body := io.LimitReader(response.Body, enough)
	media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if media != "text/event-stream" {
		text, err := io.ReadAll(body)
		if err != nil {
			return question.failed(err)
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
		return question.failed(err)
	}
	return Unclear
}

// judge: some servers refuse with a JSON-RPC error and status 200. The errors that JSON-RPC 2.0 section 5.1 predefines
// speak of the message, and not of who sent it.
func judge(text []byte) Result {
	var answer struct {
		Result json.RawMessage
		Error  *struct{ Code int }
	}
	switch err := json.Unmarshal(text, &answer); {
	case err != nil:
		return Unclear
	case len(answer.Result) > 0 && string(answer.Result) != "null":
		return Open
	case answer.Error != nil && !isPredefined(answer.Error.Code):
		return Refuses
	default:
		return Unclear
	}
}

func isPredefined(code int) bool { return code == -32700 || code <= -32600 && code >= -32603 }
