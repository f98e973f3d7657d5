package authprobe

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// DefaultQPS is how many requests per second all rounds together may make: at five requests a beat and thirty seconds an
// interval it is enough for three thousand pods, and a herd of them is spread.
const DefaultQPS = 500

// What a round costs, in requests: about what it makes. A full round makes more where there are several providers.
const (
	beatCost = 5
	fullCost = 100
)

// budget caps the requests of all rounds.
type budget struct{ limiter *rate.Limiter }

// newBudget allows so many requests per second, and one full round at once.
func newBudget(qps int) budget {
	return budget{rate.NewLimiter(rate.Limit(qps), max(qps, fullCost))}
}

// take pays for a round and gives 0, or gives the time after which to ask again. It never waits.
func (b budget) take(tier probe.Tier, now time.Time) time.Duration {
	cost := fullCost
	if tier == probe.Beat {
		cost = beatCost
	}
	reservation := b.limiter.ReserveN(now, cost)
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}
