package probe

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"mime"
	"net"
	"net/http"
	"time"
)

// Bounds on what is read of an answer. A refusal is short; the answer to tools/list of a large server is not.
const (
	maxHeaderBytes  = 32 << 10
	maxRefusalBytes = 64 << 10
	maxResultBytes  = 4 << 20
)

// answer is all that was seen of one request.
type answer struct {
	evidence evidence
	// status is 0 while no response head was read.
	status int
	header http.Header
	// body is the whole body; of an event stream, the data of the event that answers the request, if it came.
	body []byte
	// complete: the body was read to its end, to its bound, or to the event that answers.
	complete bool
	// ended: the time limit of the case, or the caller, put an end to it.
	ended          bool
	sent, received time.Time
}

// outcome judges how the exchange went as such; Passed when a complete HTTP answer was read.
func (a answer) outcome() Outcome {
	switch {
	case a.complete:
		return Passed
	case a.evidence.dialErr != nil:
		return a.evidence.dialOutcome()
	case a.ended && a.evidence.connected:
		return Timeout
	case a.ended:
		return ConnectTimeout
	default:
		return a.evidence.connOutcome()
	}
}

// mediaType is the media type of the body in lower case, "" when there is none.
func (a answer) mediaType() string {
	mediaType, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return mediaType
}

// reason is what the gate names as the reason of an answer of its own; "" when the answer does not bear its mark.
func (a answer) reason() string {
	reason := a.header.Get(reasonHeader)
	if reason != "" && !reasons[reason] {
		return reasonOther
	}
	return reason
}

// unsent is the answer to a request that could not even be built.
func unsent(err error) answer { return answer{evidence: evidence{dialErr: err}} }

// send makes one request on a connection of its own and reads the answer until the request's context ends. No redirect
// is followed, no cookie or proxy used, no connection kept. id is the JSON-RPC id whose answer ends an event stream.
func (r *round) send(request *http.Request, id string) answer {
	var recorder recorder
	transport := r.transport(&recorder)
	// Not DisableKeepAlives: it sends "Connection: close", which most clients do not.
	transport.MaxIdleConnsPerHost = -1
	return r.exchange(transport.RoundTrip, &recorder, request, func(response *http.Response) ([]byte, bool) {
		return readBody(response, id)
	})
}

func (r *round) transport(recorder *recorder) *http.Transport {
	return &http.Transport{
		DialContext: recorder.record(r.prober.dial),
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return recorder.secure(ctx, r.prober.dial, network, address, r.target.tls())
		},
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeaderBytes,
		ExpectContinueTimeout:  r.target.Timeout,
	}
}

// sender sends a shot in the way that it wants.
func (r *round) sender(s shot) func(*http.Request, string) answer {
	switch {
	case s.second:
		return r.sendSecond
	case s.old:
		return func(request *http.Request, id string) answer { return r.sendRaw(request, id, writeOld) }
	case s.absolute:
		return func(request *http.Request, id string) answer {
			return r.sendRaw(request, id, (*http.Request).WriteProxy)
		}
	default:
		return r.send
	}
}

// sendSecond is send in HTTP/2, which net/http speaks over a TLS of its own only.
func (r *round) sendSecond(request *http.Request, id string) answer {
	var recorder recorder
	transport := r.transport(&recorder)
	transport.DialTLSContext, transport.TLSClientConfig = nil, r.target.tls()
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP2(true)
	defer transport.CloseIdleConnections()
	return r.exchange(transport.RoundTrip, &recorder, request, func(response *http.Response) ([]byte, bool) {
		return readBody(response, id)
	})
}

// sendRaw is send with a head that net/http does not write as a client.
func (r *round) sendRaw(request *http.Request, id string, write func(*http.Request, io.Writer) error) answer {
	var recorder recorder
	var conn net.Conn
	defer func() {
		if conn != nil {
			_ = conn.Close()
		}
	}()
	transport := r.transport(&recorder)
	return r.exchange(func(request *http.Request) (*http.Response, error) {
		dial, port := transport.DialContext, "80"
		if request.URL.Scheme == "https" {
			dial, port = transport.DialTLSContext, "443"
		}
		address := request.URL.Host
		if request.URL.Port() == "" {
			address = net.JoinHostPort(request.URL.Hostname(), port)
		}
		var err error
		if conn, err = dial(request.Context(), "tcp", address); err != nil {
			return nil, err
		}
		stop := context.AfterFunc(request.Context(), func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
		defer stop()
		return speak(conn, request, write)
	}, &recorder, request, func(response *http.Response) ([]byte, bool) { return readBody(response, id) })
}

// writeOld writes the request in HTTP/1.0.
func writeOld(request *http.Request, to io.Writer) error {
	var written bytes.Buffer
	if err := request.Write(&written); err != nil {
		return err
	}
	_, err := to.Write(bytes.Replace(written.Bytes(), []byte(" HTTP/1.1\r\n"), []byte(" HTTP/1.0\r\n"), 1))
	return err
}

func speak(conn net.Conn, request *http.Request, write func(*http.Request, io.Writer) error) (*http.Response, error) {
	var written bytes.Buffer
	if err := write(request, &written); err != nil {
		return nil, err
	}
	if _, err := conn.Write(written.Bytes()); err != nil {
		return nil, err
	}
	return http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxHeaderBytes+maxResultBytes)), request)
}

// exchange makes one request by trip, reads its answer by read, and keeps all that was seen.
func (r *round) exchange(
	trip func(*http.Request) (*http.Response, error), recorder *recorder, request *http.Request,
	read func(*http.Response) ([]byte, bool),
) answer {
	out := answer{sent: r.prober.now()}
	response, err := trip(request)
	if err == nil {
		out.status, out.header = response.StatusCode, response.Header
		out.body, out.complete = read(response)
		_ = response.Body.Close()
	}
	out.received = r.prober.now()
	out.evidence = recorder.evidence()
	out.ended = request.Context().Err() != nil
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock.read(out)
	return out
}

// readBody reads what matters of a body, and says whether that was all.
func readBody(response *http.Response, id string) (body []byte, complete bool) {
	if response.StatusCode == http.StatusSwitchingProtocols {
		return nil, true
	}
	limit := int64(maxRefusalBytes)
	if isSuccess(response.StatusCode) {
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

func isSuccess(status int) bool { return status >= 200 && status < 300 }
