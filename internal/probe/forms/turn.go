package forms

import (
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
)

// Rows that a check takes of the catalogue of forms. A quick check takes one in three of four checks, in place of WrongKey.
const (
	quickPerWrongKey = 4

	lightPerRound = 3
	heavyPerRound = 1
)

// NextRows takes the check's rows. While test cases stand that failed, those are asked, and no new ones.
func NextRows(p *plan.Planner) []plan.TestCase {
	if p.Turn.Rest || len(p.Target.Failures.List) > 0 {
		return nil
	}
	if p.Target.Tier == probe.Quick {
		return take(p, false, p.Turn.Light, 1)
	}
	return append(take(p, false, p.Turn.Light, lightPerRound), take(p, true, p.Turn.Heavy, heavyPerRound)...)
}

// take gives the test cases of so many rows, each of an issuer in turn that the defect can be had of.
func take(p *plan.Planner, heavy bool, from, count uint64) []plan.TestCase {
	rows := catalogueOf(p, heavy)
	size := rows.size()
	var all []plan.TestCase
	for i := range min(count, size) {
		turn := from + i
		one := rows.at(turn % size)
		fitting := slices.DeleteFunc(slices.Clone(p.Issuers), func(from *plan.Issuer) bool { return !one.defect.fits(from) || one.form.carries && !from.Signs() })
		if len(fitting) == 0 {
			fitting = p.Issuers[:1]
		}
		q := testCase(p, one, fitting[(turn+turn/size)%uint64(len(fitting))], turn)
		q.Heavy = heavy
		all = append(all, q)
	}
	return all
}

// HostRows are the rows of the target's names that need no token of anybody.
func HostRows(p *plan.Planner) []plan.TestCase {
	if !p.Target.EachHost {
		return nil
	}
	var all []plan.TestCase
	for one := range catalogueOf(p, false).rows() {
		if one.form.client && (!one.defect.presents || one.defect.name == malformedDefect) {
			q := testCase(p, one, p.Issuers[0], 0)
			q.Row = false
			all = append(all, q)
		}
	}
	return all
}

// TakesRow reports whether a quick check asks a row of the catalogue.
func TakesRow(p *plan.Planner) bool {
	return !p.Target.Turn.IsZero() && p.Turn.Round%quickPerWrongKey != 0
}
