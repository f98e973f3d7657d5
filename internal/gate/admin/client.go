package admin

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// What Client.State fails with, for errors.Is. Nothing that an answer says may be used unless the error is nil.
var (
	// ErrUnreachable: no HTTP answer came.
	ErrUnreachable = errors.New("the gate's admin port gives no answer")
	// ErrNotOurPod: whoever answered knows nothing of this pod UID and key (404). It is another pod's gate, or a gate
	// without its secret, or one whose clock is off by more than ten minutes.
	ErrNotOurPod = errors.New("the gate's admin port does not know us")
	// ErrNotAuthentic: the answer was not made by the holder of the gate's secret for this request.
	ErrNotAuthentic = errors.New("the answer is not the gate's")
)

const maxStateBytes = 1 << 20

// Client asks gates for their State.
type Client struct {
	// HTTP makes the requests; redirects are never followed, whatever it says.
	HTTP *http.Client
	// Key is derived from the secret of the gate that is asked. Former is of the secret before that, for gates that have yet
	// to load the new one; the zero value is none.
	Key, Former Key
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// State asks the gate of one pod. baseURL is like "http://10.0.0.7:9090". The context bounds the time.
func (c *Client) State(ctx context.Context, baseURL, podUID string) (State, error) {
	state, err := c.ask(ctx, c.Key, baseURL, podUID)
	if errors.Is(err, ErrNotOurPod) && c.Former.mac.Valid() {
		return c.ask(ctx, c.Former, baseURL, podUID)
	}
	return state, err
}

func (c *Client) ask(ctx context.Context, key Key, baseURL, podUID string) (State, error) {
	now := c.Now
	if now == nil {
		now = time.Now
	}
	raw := make([]byte, nonceBytes)
	rand.Read(raw)
	nonce := base64.RawURLEncoding.EncodeToString(raw)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, baseURL+"/state", http.NoBody)
	if err != nil {
		return State{}, fmt.Errorf("ask for the gate's state: %w", err)
	}
	request.Header.Set(ProofHeader, key.signRequest(podUID, nonce, now()))
	response, err := c.withoutRedirects().Do(request)
	if err != nil {
		return State{}, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return State{}, ErrNotOurPod
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxStateBytes+1))
	if err != nil {
		return State{}, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if len(body) > maxStateBytes || !key.isAnswer(response.Header.Get(ProofHeader), podUID, nonce, body) {
		return State{}, fmt.Errorf("%w: status %d", ErrNotAuthentic, response.StatusCode)
	}
	var state State
	if err := json.Unmarshal(body, &state); err != nil {
		return State{}, fmt.Errorf("read the gate's state: %w", err)
	}
	return state, nil
}

func (c *Client) withoutRedirects() *http.Client {
	client := http.Client{}
	if c.HTTP != nil {
		client = *c.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}
