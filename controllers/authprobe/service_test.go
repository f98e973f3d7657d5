package authprobe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/probeid"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probebudget"
	"github.com/mcp-gatehouse/gatehouse/internal/probeplan"
	"github.com/mcp-gatehouse/gatehouse/internal/servicehealth"
)

// oneService is an API server with one Service.
type oneService struct {
	client.Client
	service corev1.Service
}

func (c oneService) Get(_ context.Context, _ client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	c.service.DeepCopyInto(object.(*corev1.Service))
	return nil
}

// List gives one EndpointSlice, with an endpoint that serves.
func (c oneService) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	if slices, wanted := list.(*discoveryv1.EndpointSliceList); wanted {
		slices.Items = []discoveryv1.EndpointSlice{{Endpoints: []discoveryv1.Endpoint{{}}}}
	}
	return nil
}

// Whichever gate answers at the Service can tell, afterwards, that it was asked by the operator; and no gate of a server
// with another secret can.
func TestQuestionAtTheServiceBearsItsID(t *testing.T) {
	owner := &v1alpha1.MCPServer{ObjectMeta: metav1.ObjectMeta{Name: "x", UID: "u"}}
	key := func(secret string) probeid.Key {
		key, err := probeid.NewKey([]byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	ours, others := key(strings.Repeat("o", 32)), key(strings.Repeat("x", 32))
	var ids []string
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ids = append(ids, r.Header.Get("X-Request-Id"))
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer door.Close()
	service := corev1.Service{Spec: corev1.ServiceSpec{ClusterIP: "10.0.0.1", Ports: []corev1.ServicePort{{Name: desired.GatePortName, Port: 80}}}}
	service.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(owner, v1alpha1.SchemeGroupVersion.WithKind("MCPServer"))}
	r := &Reconciler{
		Client: oneService{service: service}, Now: func() time.Time { return noon }, budget: probebudget.New(probebudget.DefaultQPS),
		Prober: runner.New(runner.Options{Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, door.Listener.Addr().String())
		}}),
	}
	for _, use := range []*probeplan.Credentials{{IDs: ours}, {IDs: ours}, nil} {
		if _, err := r.serviceCheck().run(t.Context(), &pass{server: owner, use: use}); err != nil {
			t.Fatal(err)
		}
	}
	if len(ids) != 3 || ids[0] == ids[1] || len(ids[2]) != len(ids[0]) {
		t.Fatalf("asked with the ids %q", ids)
	}
	for i, id := range ids {
		to, known := ours.Audience(id, noon)
		if isAny := known && to == probeid.AnyPod(); isAny != (i < 2) {
			t.Errorf("question %d: any gate of the server knows it: %v", i+1, isAny)
		}
		if _, known := others.Audience(id, noon); known {
			t.Errorf("question %d: a gate with another secret knows it", i+1)
		}
	}
}

// What is asked at a Service's address, and what is made of the answer: whoever is to show a certificate of a gate, and does
// not, is not even asked.
func TestWalkIn(t *testing.T) {
	owner := &v1alpha1.MCPServer{ObjectMeta: metav1.ObjectMeta{Name: "x", UID: "u"}}
	var asked []string
	door := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, strings.TrimSpace(r.Proto+" "+r.URL.Path+" "+r.Header.Get("Authorization")))
		w.WriteHeader(http.StatusUnauthorized)
	})
	plain, secure := httptest.NewServer(door), httptest.NewTLSServer(door)
	defer plain.Close()
	defer secure.Close()
	shown := sha256.Sum256(secure.Certificate().Raw)
	digest, other := hex.EncodeToString(shown[:]), strings.Repeat("0", 2*sha256.Size)
	malformed := "Bearer not-a-valid-jwt-token"
	for name, c := range map[string]struct {
		at           *httptest.Server
		tls          string
		certificates []string
		looks        int
		foreign      bool
		want         string // what arrived
		failing      int
	}{
		"without a token":                        {plain, "", nil, 0, false, "HTTP/1.1 /mcp", 1},
		"then with a malformed one":              {plain, "", nil, 1, false, "HTTP/1.1 /mcp " + malformed, 1},
		"then without one again":                 {plain, "", nil, 2, false, "HTTP/1.1 /mcp", 1},
		"over TLS":                               {secure, "tls", []string{digest}, 0, false, "HTTP/1.1 /mcp", 1},
		"over TLS, while certificates change":    {secure, "tls", []string{other, digest}, 0, false, "HTTP/1.1 /mcp", 1},
		"over TLS, by another certificate":       {secure, "tls", []string{other}, 0, false, "", 1},
		"over TLS, that nobody is known to have": {secure, "tls", nil, 0, false, "", 0},
		"over TLS, to who knows none":            {plain, "tls", []string{digest}, 0, false, "", 1},
		"without TLS, whatever gates show":       {plain, "", []string{digest}, 0, false, "HTTP/1.1 /mcp", 1},
		"at the Service of somebody else":        {plain, "", nil, 0, true, "", 0},
	} {
		asked = nil
		service := corev1.Service{Spec: corev1.ServiceSpec{ClusterIP: "10.0.0.1", Ports: []corev1.ServicePort{{Name: desired.GatePortName, Port: 80}}}}
		if !c.foreign {
			service.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(owner, v1alpha1.SchemeGroupVersion.WithKind("MCPServer"))}
		}
		r := &Reconciler{Client: oneService{service: service}, Now: func() time.Time { return noon }, Prober: runner.New(runner.Options{
			Random: func() uint64 { return 1 },
			Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				if address != "10.0.0.1:80" {
					t.Errorf("%s: dialled %s", name, address)
				}
				return new(net.Dialer).DialContext(ctx, network, c.at.Listener.Addr().String())
			},
		})}
		settings := desired.Resolve(owner)
		settings.TLSSecret = c.tls
		target := probe.Target{Exact: true, Timeout: settings.Probe.Timeout, CertificateSHA256: c.certificates}
		got, err := r.serviceCheck().ask(t.Context(), owner, servicehealth.View{Looks: c.looks}, settings, target)
		if err != nil || strings.Join(asked, ",") != c.want || got.Failing != c.failing || got.Finding != nil {
			t.Errorf("%s: %q arrived, %d failed, found %v, %v", name, asked, got.Failing, got.Finding, err)
		}
		if turned := got.Looks - c.looks; turned != c.failing {
			t.Errorf("%s: %d turns", name, turned)
		}
	}
}
