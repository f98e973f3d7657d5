package probebudget

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// DefaultQPS is how many requests per second the prober may make in all: at seven requests a quick check and thirty seconds an
// interval it is enough for two thousand pods, and a herd of them is spread.
const DefaultQPS = 500

const (
	// identityCost is what a round takes beside its cases: the gate is asked twice who it is.
	identityCost = 2
	// AskCost is that of one case by itself.
	AskCost = 1
)

var (
	// QuickCost is what a quick check with one control costs.
	QuickCost = Cost(probe.Quick, 1)
	// FullCost is what a full check with one control costs.
	FullCost = Cost(probe.Full, 1)
)

// Cost is what is paid for a round with so many controls, in connections: the most that it makes.
func Cost(tier probe.Tier, controls int) int { return identityCost + tier.Connections(controls) }

// Budget caps what is sent to pods and Services.
type Budget struct{ limiter *rate.Limiter }

// New allows so many connections per second, and one full round at once.
func New(qps int) Budget {
	return Budget{rate.NewLimiter(rate.Limit(qps), max(qps, FullCost))}
}

// Take pays for something and gives 0, or gives the time after which to ask again. It never waits. What costs more than
// there can be at once is paid for with all there is.
func (b Budget) Take(cost int, now time.Time) time.Duration {
	reservation := b.limiter.ReserveN(now, min(cost, b.limiter.Burst()))
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

// TakeSpare is Take for what can wait: it leaves enough for the first proof of a pod. Quick checks are cheap, and so many of them
// that new pods would never find the many that they need together.
func (b Budget) TakeSpare(cost int, now time.Time) time.Duration {
	needed := min(cost+FullCost, b.limiter.Burst())
	if missing := float64(needed) - b.limiter.TokensAt(now); missing > 0 {
		return time.Duration(missing / float64(b.limiter.Limit()) * float64(time.Second))
	}
	return b.Take(cost, now)
}

// Charge pays for what was not foreseen, as connections are that a gate's list of listeners leads to: what comes next waits
// for it.
func (b Budget) Charge(cost int, now time.Time) { b.limiter.ReserveN(now, cost) }
