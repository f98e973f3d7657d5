package keysource_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/keysource"
)

// silent is an API server that does not answer.
type silent struct {
	client.Reader
	asked int
}

func (s *silent) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	s.asked++
	return errors.New("no answer")
}

func TestMasterKeyCannotBeRead_IsAskedForOnceForAllServers(t *testing.T) {
	at := time.Unix(2_000_000_000, 0)
	live := &silent{}
	master := &keysource.ProbeMaster{Live: live, Namespace: "gatehouse-system", Now: func() time.Time { return at }}
	ask := func() error {
		_, _, err := master.Key(t.Context(), &v1alpha1.MCPServer{})
		return err
	}
	for range 3 {
		if err := ask(); err == nil || live.asked != 1 {
			t.Errorf("asked %d times: %v", live.asked, err)
		}
	}
	at = at.Add(5 * time.Second)
	if err := ask(); err == nil || live.asked != 2 {
		t.Errorf("after a while, asked %d times: %v", live.asked, err)
	}
	master.Forget()
	if err := ask(); err == nil || live.asked != 3 {
		t.Errorf("after an event, asked %d times: %v", live.asked, err)
	}
}
