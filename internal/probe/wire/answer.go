package wire

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// Bounds on what is read of an answer. A refusal is short; the answer to tools/list of a large server is not.
const (
	MaxHeaderBytes  = 32 << 10
	maxRefusalBytes = 64 << 10
	maxResultBytes  = 4 << 20
)

// Answer is all that was seen of one request.
type Answer struct {
	trace trace
	// Status is 0 while no response head was read.
	Status int
	Header http.Header
	// Body is the whole body; of an event stream, the data of the event that answers the request, if it came.
	Body []byte
	// complete: the body was read to its end, to its bound, or to the event that answers.
	complete bool
	// ended: the time limit of the case, or the caller, put an end to it.
	ended          bool
	sent, received time.Time
}

// Outcome judges how the exchange went as such; Passed when a complete HTTP answer was read.
func (a Answer) Outcome() probe.Outcome {
	switch {
	case a.complete:
		return probe.Passed
	case a.trace.dialErr != nil:
		return a.trace.dialOutcome()
	case a.ended && a.trace.connected:
		return probe.Timeout
	case a.ended:
		return probe.ConnectTimeout
	default:
		return a.trace.connOutcome()
	}
}

// MediaType is the media type of the body in lower case, "" when there is none.
func (a Answer) MediaType() string {
	mediaType, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return mediaType
}

// Reason is what the gate names as the reason of an answer of its own; "" when the answer does not bear its mark.
func (a Answer) Reason() string {
	reason := a.Header.Get(probe.ReasonHeader)
	if reason != "" && !probe.IsReason(reason) {
		return probe.ReasonOther
	}
	return reason
}

// Unsent is the answer to a request that could not even be built.
func Unsent(err error) Answer { return Answer{trace: trace{dialErr: err}} }

// readBody reads what matters of a body, and reports whether that was all.
func readBody(response *http.Response, id string) (body []byte, complete bool) {
	if response.StatusCode == http.StatusSwitchingProtocols {
		return nil, true
	}
	limit := int64(maxRefusalBytes)
	if IsSuccess(response.StatusCode) {
		limit = maxResultBytes
	}
	bounded := io.LimitReader(response.Body, limit)
	if mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); mediaType == "text/event-stream" {
		data, err := readEvent(bounded, id)
		return data, err == nil
	}
	var buffer bytes.Buffer
	_, err := buffer.ReadFrom(bounded)
	return buffer.Bytes(), err == nil
}
