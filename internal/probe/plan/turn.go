package plan

import (
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// Begin is where the turn of a check begins: a new one somewhere, by the seed.
func (p *Planner) Begin(turn probe.Turn) {
	p.Turn = turn
	if turn.IsZero() {
		p.Turn.Light, p.Turn.Heavy = p.Seed, p.Seed
	}
}

// offset is where lists begin that are asked in part.
func (p *Planner) offset() uint64 {
	if p.Target.Turn.IsZero() {
		return p.Seed
	}
	return p.Turn.Round
}

// InTurn gives count elements of a list, the next ones in each check; all of them where everything is wanted.
func InTurn[T any](p *Planner, all []T, count uint64) []T {
	if p.Everything || uint64(len(all)) <= count {
		return all
	}
	first := p.offset() % uint64(len(all)) * count
	out := make([]T, 0, count)
	for i := range count {
		out = append(out, all[(first+i)%uint64(len(all))])
	}
	return out
}
