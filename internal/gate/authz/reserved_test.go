package authz_test

import (
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz"
)

func TestFence(t *testing.T) {
	request := func(method string) string { return `{"jsonrpc":"2.0","id":1,"method":"` + method + `"}` }
	for body, want := range map[string]string{
		request("initialize"):                                     "",
		`{"method":"notifications/initialized"}`:                  "",
		request("server/discover"):                                "",
		request("ping"):                                           "",
		request("tools/list"):                                     "",
		request("prompts/list"):                                   "",
		request("resources/list"):                                 "",
		request("resources/templates/list"):                       "",
		"[" + request("ping") + "," + request("ping") + "]":       "",
		request("tools/call"):                                     "reserved_subject",
		request("resources/read"):                                 "reserved_subject",
		request("resources/subscribe"):                            "reserved_subject",
		request("subscriptions/listen"):                           "reserved_subject",
		request("logging/setLevel"):                               "reserved_subject",
		request("tools/List"):                                     "reserved_subject",
		request("tools/list "):                                    "reserved_subject",
		`{"method":"notifications/cancelled"}`:                    "reserved_subject",
		`{"id":1,"result":{}}`:                                    "reserved_subject",
		"[]":                                                      "reserved_subject",
		"[" + request("ping") + "," + request("tools/call") + "]": "reserved_subject",
	} {
		if got := told(authz.RestrictProbe(read(t, body))); got != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
	if got := told(authz.RestrictProbe(nil)); got != "reserved_subject" {
		t.Errorf("nothing: got %q", got)
	}
}
