package exposurecheck

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probebudget"
)

// gated is a pod whose gate has its admin port at 10.0.0.5:9090.
func gated() corev1.Pod {
	return corev1.Pod{
		Spec: corev1.PodSpec{InitContainers: []corev1.Container{{
			Name: desired.GateContainer, Ports: []corev1.ContainerPort{{Name: desired.AdminPortName, ContainerPort: 9090}},
		}}},
		Status: corev1.PodStatus{PodIP: "10.0.0.5", PodIPs: []corev1.PodIP{{IP: "10.0.0.5"}, {IP: "fd00::5"}}},
	}
}

// network is what comes of connections by the port that they are for; "" is of all others. Each port has one outcome after
// the other, and the last for ever. It notes what was dialled.
type network struct {
	ports map[string][]error

	mu      sync.Mutex
	dialled []string
}

var errSilent error = context.DeadlineExceeded

func (n *network) dial(_ context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dialled = append(n.dialled, address)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if _, found := n.ports[port]; !found {
		port = ""
	}
	outcomes := n.ports[port]
	if len(outcomes) > 1 {
		n.ports[port] = outcomes[1:]
	}
	if outcomes[0] != nil {
		return nil, outcomes[0]
	}
	conn, _ := net.Pipe()
	return conn, nil
}

// taken returns what was dialled since it was asked last, sorted.
func (n *network) taken() []string {
	out := slices.Sorted(slices.Values(n.dialled))
	n.dialled = nil
	return out
}

func (n *network) check(now func() time.Time) Check {
	return Check{Now: now, Jitter: func() float64 { return 0 }, Budget: probebudget.New(100), Dial: n.dial}
}
