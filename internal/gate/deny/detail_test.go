package deny_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/body"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

func TestDetailIsNotSent(t *testing.T) {
	denial := deny.Token(gateapi.ReasonWrongAudience).WithDetail("aud: %d values, none of this server's", 2)
	if denial.Detail != "aud: 2 values, none of this server's" {
		t.Errorf("got %q", denial.Detail)
	}
	recorder, request := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader("{}"))
	denial.Answer(recorder, body.Of(recorder, request, 1<<20), deny.Site{Realm: "a/b"})
	sent := recorder.Body.String()
	for name, values := range recorder.Header() {
		sent += name + strings.Join(values, "")
	}
	if strings.Contains(sent, "2 values") {
		t.Errorf("the client reads %q", sent)
	}
}
