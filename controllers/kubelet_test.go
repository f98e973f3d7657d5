package controllers_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// handlerTransport answers requests by a handler.
type handlerTransport struct{ http.Handler }

func (t handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	t.ServeHTTP(w, r)
	return w.Result(), nil
}

// kept is a gate's admin port as in a pod that a kubelet keeps: it has tried itself, changed configuration has been brought
// to it, and of what listens on this machine nothing is in the pod. What p.state then changes is said with the gate's own
// proof.
func (p *simulatedPod) kept(ctx context.Context, server *v1alpha1.MCPServer, gate http.Handler) http.Handler {
	GinkgoHelper()
	var known []admin.Key
	mounted := secretData(ctx, server, p.mounts("gatehouse-secret", server))
	for _, file := range []string{gateapi.SecretFile, gateapi.NextSecretFile, gateapi.PreviousSecretFile} {
		if key, err := admin.NewKey(mounted[file]); err == nil {
			known = append(known, key)
		}
	}
	Expect(known).NotTo(BeEmpty())
	itself := admin.Client{HTTP: &http.Client{Transport: handlerTransport{gate}}, Key: known[0]}
	var over atomic.Bool // The gate's files go after that, and the operator may still ask.
	DeferCleanup(func() { over.Store(true) })
	mux := http.NewServeMux()
	mux.Handle("/", gate)
	mux.Handle("/state", admin.StateHandler(admin.StateSource{
		Keys: func() []admin.Key { return known }, PodUID: string(p.pod.UID), Now: time.Now,
		State: func() admin.State {
			defer GinkgoRecover()
			state, err := itself.State(context.Background(), "http://gate", string(p.pod.UID))
			if err != nil && over.Load() {
				return admin.State{}
			}
			Expect(err).NotTo(HaveOccurred())
			sum := sha256.Sum256(p.configFiles(context.Background(), server)[gateapi.ConfigFile])
			state.SelfTest, state.ConfigSHA256, state.Listeners = "passed", hex.EncodeToString(sum[:]), []admin.Listener{}
			if change := p.state.Load(); change != nil {
				(*change)(&state)
			}
			return state
		},
	}))
	return mux
}

// says changes what the pod's gate says of itself.
func (p *simulatedPod) says(change func(*admin.State)) { p.state.Store(&change) }
