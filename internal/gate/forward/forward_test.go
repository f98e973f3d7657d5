package forward_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/forward"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/body"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// The zero Principal is the only one that can be had without a Verifier. It must not get through.
func TestNobodyIsNotForwarded(t *testing.T) {
	reached := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer server.Close()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader("{}"))
	upstream := gateapi.Upstream{Port: int32(server.Listener.Addr().(*net.TCPAddr).Port), Path: "/mcp"}
	failures := 0
	forward.New("127.0.0.1", time.Minute).Serve(w, r, forward.Request{
		Principal: verify.Principal{}, Upstream: upstream, Body: body.Of(w, r, 100),
	}, func(forward.Failure) { failures++ })
	if w.Code != http.StatusInternalServerError || reached || failures != 1 {
		t.Errorf("got %d, server reached: %v, failures: %d", w.Code, reached, failures)
	}
}
