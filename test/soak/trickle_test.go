//go:build soak

package soak

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// What a client has for its body (docs/gate.md, "Limits and memory"), and how much longer an answer may take.
const (
	bodyGrace    = 30 * time.Second
	leastPace    = 16 << 10 // bytes; each gives one second more
	answerMargin = 15 * time.Second
	keptBytes    = 64 << 10 // of a body that no rule wants to see; what is longer is forwarded as it comes
)

// trickle is one request whose body comes slowly.
type trickle struct {
	name, cause, bearer string
	shape               bodyShape
	begun               chan struct{} // closed when the early part has been taken

	verdict string
	took    time.Duration // from the change to the answer; 0 if the answer came before
}

// client has a connection of its own.
func (tr *trickle) client(b *bodies) *caller {
	scheme := "http"
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!b.http2)
	protocols.SetHTTP2(b.http2)
	if b.http2 {
		scheme = "https"
	}
	client := newCaller(scheme, b.gate.Config.Port, true)
	client.http.Transport = &http.Transport{Protocols: protocols, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	return client
}

// send sends white space until the change is in force, and then the JSON.
func (tr *trickle) send(b *bodies, changed <-chan struct{}) {
	const room = 10_000 // for white space, of which there is less
	client := tr.client(b)
	defer client.close()
	client.header.Set(trickleHeader, tr.name)
	text := strings.Replace(call("read"), `"name"`, `"arguments":{"x":"`+strings.Repeat("x", tr.shape.size)+`"},"name"`, 1)
	reader, writer := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	early, late := strings.Repeat(" ", tr.shape.early), text
	if tr.shape.first {
		early, late = text, ""
	}
	length := len(early) + room + len(late)
	go func() { tr.write(writer, changed, length, early, late) }()
	// Longer than the gate's bound for a body of this length there is no wait.
	defer time.AfterFunc(bodyBound(length)+answerMargin, cancel).Stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, client.url, reader)
	if err != nil {
		tr.verdict = err.Error()
		return
	}
	request.ContentLength = int64(length)
	request.Header = client.header.Clone()
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+tr.bearer)
	tr.verdict = verdictFrom(client.http.Do(request))
	_ = reader.CloseWithError(errors.New("answered"))
	select {
	case <-changed:
		tr.took = time.Since(b.changed)
	default:
	}
}

// bodyBound is how long a client may take for a body.
func bodyBound(length int) time.Duration {
	return bodyGrace + time.Duration(length)*time.Second/leastPace
}

// write stops when the request has been answered.
func (tr *trickle) write(to *io.PipeWriter, changed <-chan struct{}, length int, early, late string) {
	sent, err := io.WriteString(to, early)
	close(tr.begun)
	for changing := true; changing && err == nil; {
		select {
		case <-changed:
			changing = false
		case <-time.After(200 * time.Millisecond):
			_, err = io.WriteString(to, " ")
			sent++
		}
	}
	if err == nil {
		_, err = io.WriteString(to, strings.Repeat(" ", length-sent-len(late))+late)
	}
	_ = to.CloseWithError(err)
}

func verdictFrom(response *http.Response, err error) string {
	if err != nil {
		return broken(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return broken(err)
	}
	return verdictOf(response.StatusCode, raw)
}

// judge: who is still let in is served, and of anybody else the server gets no whole body. It gets nothing at all unless the
// gate had to forward the beginning before the change: of a body that is too long to be kept and that no rule wants to see.
func (b *bodies) judge(one *trickle) {
	b.t.Helper()
	got := b.received(one)
	if one.cause == nothingHappens {
		if one.verdict != accepted || got != "all of it" {
			b.t.Errorf("%s: answered %s, and the server got %s", one.name, one.verdict, got)
		}
		return
	}
	forwarded := (one.shape.first && one.shape.size > keptBytes || one.shape.early > keptBytes) && len(b.gate.Config.Authorization.Rules) == 0
	switch {
	case got == "all of it":
		b.t.Errorf("%s: the server got all of it; answered %s", one.name, one.verdict)
	case !forwarded && got != "nothing":
		b.t.Errorf("%s: the server got %s; answered %s", one.name, got, one.verdict)
	case !forwarded && !strings.HasPrefix(one.verdict, "401"):
		b.t.Errorf("%s: answered %s, not 401", one.name, one.verdict)
	case one.verdict == accepted:
		b.t.Errorf("%s: answered %s", one.name, one.verdict)
	case one.took > answerMargin:
		b.t.Errorf("%s: answered %s after the change", one.name, one.took)
	}
}
