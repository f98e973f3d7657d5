package probe

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"
)

// row is one question of the catalogue of forms: a form of a request, with a bad token or none.
type row struct {
	form   form
	defect defect
}

// Clients lists the names of clients that tokens of the catalogue take in turn; an empty one is drawn.
func Clients() []string { return slices.Clone(clientNames) }

// Row names a row, for tables and tests.
type Row struct {
	Form, Defect string
	Heavy        bool
}

// Rows lists the catalogue for a target, in the order in which it is taken: the light rows, and the heavy ones, which only
// full rounds take. Each form comes once within as many rows as there are forms, and each with another defect than before.
func Rows(target Target) []Row {
	r := &round{target: target}
	for _, provider := range target.Providers {
		r.issuers = append(r.issuers, &issuer{Provider: provider})
	}
	var all []Row
	for _, heavy := range []bool{false, true} {
		for _, one := range r.rows(heavy) {
			all = append(all, Row{Form: one.form.name, Defect: one.defect.name, Heavy: heavy})
		}
	}
	return all
}

// rows are those of the catalogue that make sense at the target.
func (r *round) rows(heavy bool) []row {
	all := slices.DeleteFunc(r.target.forms(), func(f form) bool { return f.heavy != heavy })
	wrong := slices.DeleteFunc(slices.Clone(defects), func(d defect) bool {
		return !r.target.Exact && !d.anywhere || !slices.ContainsFunc(r.issuers, d.fits)
	})
	var out []row
	for cycle := range wrong {
		for i, f := range all {
			d := wrong[(i+cycle)%len(wrong)]
			if f.presents && !d.presents { // Each form has its turn in each cycle: with the next defect, once more.
				d = wrong[(i+cycle+1)%len(wrong)]
			}
			out = append(out, row{f, d})
		}
	}
	return out
}

// wary are the rows of the target's names that need no token of anybody.
func (r *round) wary() []question {
	var all []question
	for _, one := range r.rows(false) {
		if r.target.Wary && one.form.client && (!one.defect.presents || one.defect.name == malformedDefect) {
			q := r.questionOf(one, r.issuers[0], 0)
			q.row = false
			all = append(all, q)
		}
	}
	return all
}

// variations takes the round's rows. While questions stand that failed, those are asked, and no new ones.
func (r *round) variations() []question {
	if r.turn.Rest || len(r.target.Failures.all) > 0 {
		return nil
	}
	if r.target.Tier == Beat {
		return r.take(false, r.turn.Light, 1)
	}
	return append(r.take(false, r.turn.Light, lightPerRound), r.take(true, r.turn.Heavy, heavyPerRound)...)
}

// take gives the questions of so many rows, each of an issuer in turn that the defect can be had of.
func (r *round) take(heavy bool, from, count uint64) []question {
	rows := r.rows(heavy)
	var all []question
	for i := range min(count, uint64(len(rows))) {
		turn := from + i
		one := rows[turn%uint64(len(rows))]
		fitting := slices.DeleteFunc(slices.Clone(r.issuers), func(from *issuer) bool { return !one.defect.fits(from) || one.form.carries && !from.signs() })
		if len(fitting) == 0 {
			fitting = r.issuers[:1]
		}
		q := r.questionOf(one, fitting[(turn+turn/uint64(len(rows)))%uint64(len(fitting))], turn)
		q.heavy = heavy
		all = append(all, q)
	}
	return all
}

func (one row) variation() string { return one.form.name + ", " + one.defect.name }

// questionOf is the question of a row in its turn.
func (r *round) questionOf(one row, from *issuer, turn uint64) question {
	f := one.form
	want := one.defect.want(from)
	if f.want != nil {
		want = *f.want
	}
	aim := func(now time.Time) (shot, error) { return r.aim(one, from, turn, now) }
	q := r.target.asks(Varied, from, want, aim)
	q.variation, q.method, q.limits = one.variation(), f.method(r.target), f.limits
	q.row, q.turn = true, turn
	if f.ask != nil {
		q.prepare = func(now time.Time) (attempt, error) {
			s, err := aim(now)
			return func(ctx context.Context, r *round) finding { return f.ask(ctx, r, s, want) }, err
		}
	}
	if f.carries && !from.signs() {
		q.lacks = lacksBearer
	}
	return q
}

// aim is the request of a row.
func (r *round) aim(one row, from *issuer, turn uint64, now time.Time) (shot, error) {
	good, err := r.controlAt(from, now)
	if err != nil {
		return shot{}, err
	}
	draw := &draws{r.drawFor(Varied, from.Name, one.variation()), turn}
	var s shot
	if one.defect.make != nil {
		bad, err := one.defect.make(r, from, good, now, draw)
		if err != nil {
			return shot{}, err
		}
		s = s.bearing(bad)
	}
	if one.form.change != nil {
		one.form.change(&s, r.target, good)
	}
	if s.call != nil && s.call.id != 0 {
		s.call.id = draw.Int64N(1<<31-1) + 1
	}
	return s, nil
}

// drawFor draws for one question: the same by the same seed, whatever else the round asks.
func (r *round) drawFor(name Case, about ...string) *rand.Rand {
	sum := fnv.New64a()
	for _, text := range append(about, string(name)) {
		_, _ = sum.Write([]byte(text + "\x00"))
	}
	return rand.New(rand.NewPCG(r.seed, sum.Sum64())) //nolint:gosec // to be repeated, not to be unguessable
}
