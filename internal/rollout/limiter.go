package rollout

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// DefaultMaxUpgrades is how many MCPServers are upgraded at a time unless somebody says otherwise: few enough that a bad
// release harms few, and enough for a thousand servers in an hour or so.
const DefaultMaxUpgrades = 10

// Stage is how far a server is with the operator's version.
type Stage int

const (
	// unseen: it was there when the operator started, and was not looked at yet.
	unseen Stage = iota
	// Current: its template is the operator's, or it is not to be upgraded.
	Current
	// Waiting for its turn.
	Waiting
	// Degraded: it waits, and comes last, because not all of its pods serve.
	Degraded
	// Running: its pods are being replaced.
	Running
	// Stuck: its pods are being replaced, and do not get on.
	Stuck
)

// callsBuffer is how many servers can be called whom nobody has looked at. Who waits asks again by itself.
const callsBuffer = 1024

// Limiter decides when a server is upgraded, which is to replace its pods because the operator has another version. So many
// are at a time; one that does not come to its end keeps its place, so that a bad release stops by itself. It is in the
// order of namespaces and names, and no server is begun while one before it was not looked at.
//
// What it knows it can know anew: places that are taken are written on the Deployments.
type Limiter struct {
	max  int
	News chan event.GenericEvent

	mu      sync.Mutex
	seeded  bool
	servers map[types.NamespacedName]Stage
}

// NewLimiter gives one that upgrades so many servers at a time.
func NewLimiter(maxUpgrades int) *Limiter {
	return &Limiter{max: maxUpgrades, News: make(chan event.GenericEvent, callsBuffer), servers: map[types.NamespacedName]Stage{}}
}

// Seed tells, once, which servers there are, and which of them have begun.
func (f *Limiter) Seed(list func() (map[types.NamespacedName]bool, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seeded {
		return nil
	}
	begun, err := list()
	if err != nil {
		return err
	}
	for server, has := range begun {
		f.servers[server] = unseen
		if has {
			f.servers[server] = Running
		}
	}
	f.seeded = true
	return nil
}

// Set notes at which stage a server is.
func (f *Limiter) Set(server types.NamespacedName, now Stage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if before, known := f.servers[server]; known && before == now {
		return
	}
	f.servers[server] = now
	f.callNext()
}

// Seen notes that a server was looked at, though nothing came of it.
func (f *Limiter) Seen(server types.NamespacedName) {
	f.mu.Lock()
	before, known := f.servers[server]
	f.mu.Unlock()
	if known && before == unseen {
		f.Set(server, Current)
	}
}

// Forget drops a server that is gone.
func (f *Limiter) Forget(server types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.servers, server)
	f.callNext()
}

// HasBegun tells that a server has a place.
func (f *Limiter) HasBegun(server types.NamespacedName) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.servers[server] >= Running
}

// Ask for a place. Who has none waits, and is called when it is its turn; why says what for.
func (f *Limiter) Ask(server types.NamespacedName, as Stage) (granted bool, why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.servers[server] >= Running {
		return true, ""
	}
	f.servers[server] = as
	if slices.Contains(next(f.servers, f.max), server) {
		f.servers[server] = Running
		return true, ""
	}
	return false, reasonToWait(f.servers, f.max)
}

// callNext has those looked at whose turn it is.
func (f *Limiter) callNext() {
	for _, server := range next(f.servers, f.max) {
		object := &v1alpha1.MCPServer{}
		object.Namespace, object.Name = server.Namespace, server.Name
		select {
		case f.News <- event.GenericEvent{Object: object}:
		default: // who waits asks again by itself
		}
	}
}

// next are the servers that wait and whose turn it is.
func next(servers map[types.NamespacedName]Stage, places int) []types.NamespacedName {
	var queue []types.NamespacedName
	waits := false
	for server, at := range servers {
		switch at {
		case Running, Stuck:
			places--
		case unseen, Waiting, Degraded:
			queue = append(queue, server)
			waits = waits || at != unseen
		case Current:
		}
	}
	if places <= 0 || !waits {
		return nil
	}
	slices.SortFunc(queue, func(a, b types.NamespacedName) int {
		lastA, lastB := servers[a] == Degraded, servers[b] == Degraded
		switch {
		case lastA && !lastB:
			return 1
		case lastB && !lastA:
			return -1
		}
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	turn := queue[:min(places, len(queue))]
	return slices.DeleteFunc(turn, func(server types.NamespacedName) bool { return servers[server] == unseen })
}

// reasonToWait names no other server: whoever reads this one's status may not be allowed to know of them.
func reasonToWait(servers map[types.NamespacedName]Stage, places int) string {
	count := counts(servers)
	text := fmt.Sprintf("The operator has another version, and upgrades %d MCPServers at a time: %d are being upgraded", places, count[Running]+count[Stuck])
	if count[Stuck] > 0 {
		text += fmt.Sprintf(", of which %d do not get on and keep their place", count[Stuck])
	}
	return text + ". This one waits for its turn; a change of its spec would not."
}

func counts(servers map[types.NamespacedName]Stage) map[Stage]int {
	count := map[Stage]int{}
	for at := range maps.Values(servers) {
		count[at]++
	}
	return count
}

// Register exports the stages of upgrades as metrics; docs/metrics.md describes them.
func (f *Limiter) Register(registry prometheus.Registerer) error {
	for state, stages := range map[string][]Stage{"Pending": {Waiting, Degraded}, "Running": {Running}, "Stuck": {Stuck}} {
		gauge := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "gatehouse_upgrades", Help: "MCPServers whose pods wait to be replaced, are, or do not get on, because the operator has another version.",
			ConstLabels: prometheus.Labels{"state": state},
		}, func() float64 {
			f.mu.Lock()
			defer f.mu.Unlock()
			sum := 0
			for _, at := range stages {
				sum += counts(f.servers)[at]
			}
			return float64(sum)
		})
		if err := registry.Register(gauge); err != nil {
			return fmt.Errorf("register the metrics of upgrades: %w", err)
		}
	}
	return nil
}
