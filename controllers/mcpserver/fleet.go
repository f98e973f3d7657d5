package mcpserver

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

// stage is how far a server is with the operator's version.
type stage int

const (
	// unseen: it was there when the operator started, and was not looked at yet.
	unseen stage = iota
	// current: its template is the operator's, or it is none of the fleet's business.
	current
	// waiting for its turn; those that are degraded, because not all of their pods serve, come last.
	waiting
	degraded
	// running: its pods are being replaced. stuck: and they do not get on.
	running
	stuck
)

// Fleet decides when a server is upgraded, which is to replace its pods because the operator has another version. So many
// are at a time; one that does not come to its end keeps its place, so that a bad release stops by itself. It is in the
// order of namespaces and names, and no server is begun while one before it was not looked at.
//
// What it knows it can know anew: places that are taken are written on the Deployments.
type Fleet struct {
	max  int
	news chan event.GenericEvent

	mu      sync.Mutex
	seeded  bool
	servers map[types.NamespacedName]stage
}

// NewFleet gives one that upgrades so many servers at a time.
func NewFleet(maxUpgrades int) *Fleet {
	return &Fleet{max: maxUpgrades, news: make(chan event.GenericEvent, newsBuffer), servers: map[types.NamespacedName]stage{}}
}

// seed tells, once, which servers there are, and which of them have begun.
func (f *Fleet) seed(list func() (map[types.NamespacedName]bool, error)) error {
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
			f.servers[server] = running
		}
	}
	f.seeded = true
	return nil
}

// is notes at which stage a server is.
func (f *Fleet) is(server types.NamespacedName, now stage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if before, known := f.servers[server]; known && before == now {
		return
	}
	f.servers[server] = now
	f.callNext()
}

// look notes that a server was looked at, though nothing came of it.
func (f *Fleet) look(server types.NamespacedName) {
	f.mu.Lock()
	before, known := f.servers[server]
	f.mu.Unlock()
	if known && before == unseen {
		f.is(server, current)
	}
}

// forget drops a server that is gone.
func (f *Fleet) forget(server types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.servers, server)
	f.callNext()
}

// hasBegun tells that a server has a place.
func (f *Fleet) hasBegun(server types.NamespacedName) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.servers[server] >= running
}

// ask for a place. Who has none waits, and is called when it is its turn; why says what for.
func (f *Fleet) ask(server types.NamespacedName, as stage) (granted bool, why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.servers[server] >= running {
		return true, ""
	}
	f.servers[server] = as
	if slices.Contains(next(f.servers, f.max), server) {
		f.servers[server] = running
		return true, ""
	}
	return false, reasonToWait(f.servers, f.max)
}

// callNext has those looked at whose turn it is.
func (f *Fleet) callNext() {
	for _, server := range next(f.servers, f.max) {
		object := &v1alpha1.MCPServer{}
		object.Namespace, object.Name = server.Namespace, server.Name
		select {
		case f.news <- event.GenericEvent{Object: object}:
		default: // who waits asks again by itself
		}
	}
}

// next are the servers that wait and whose turn it is.
func next(servers map[types.NamespacedName]stage, places int) []types.NamespacedName {
	var queue []types.NamespacedName
	waits := false
	for server, at := range servers {
		switch at {
		case running, stuck:
			places--
		case unseen, waiting, degraded:
			queue = append(queue, server)
			waits = waits || at != unseen
		case current:
		}
	}
	if places <= 0 || !waits {
		return nil
	}
	slices.SortFunc(queue, func(a, b types.NamespacedName) int {
		lastA, lastB := servers[a] == degraded, servers[b] == degraded
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
func reasonToWait(servers map[types.NamespacedName]stage, places int) string {
	count := counts(servers)
	text := fmt.Sprintf("The operator has another version, and upgrades %d MCPServers at a time: %d are being upgraded", places, count[running]+count[stuck])
	if count[stuck] > 0 {
		text += fmt.Sprintf(", of which %d do not get on and keep their place", count[stuck])
	}
	return text + ". This one waits for its turn; a change of its spec would not."
}

func counts(servers map[types.NamespacedName]stage) map[stage]int {
	count := map[stage]int{}
	for at := range maps.Values(servers) {
		count[at]++
	}
	return count
}

// Register shows the fleet in metrics; docs/metrics.md describes them.
func (f *Fleet) Register(registry prometheus.Registerer) error {
	for state, stages := range map[string][]stage{"Pending": {waiting, degraded}, "Running": {running}, "Stuck": {stuck}} {
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
