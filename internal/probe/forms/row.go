package forms

import (
	"iter"
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
)

// row is one test case of the catalogue of forms: a form of a request, with a bad token or none.
type row struct {
	form   form
	defect defect
}

func (one row) variation() string { return one.form.name + ", " + one.defect.name }

// Row names a row, for tables and tests.
type Row struct {
	Form, Defect string
	Heavy        bool
}

// Rows lists the catalogue for a target, in the order in which it is taken: the light rows, and the heavy ones, which only
// full checks take. Each form comes once within as many rows as there are forms, and each with another defect than before.
func Rows(target probe.Target) []Row {
	p := &plan.Planner{Target: target}
	for _, provider := range target.Providers {
		p.Issuers = append(p.Issuers, &plan.Issuer{Provider: provider})
	}
	var all []Row
	for _, heavy := range []bool{false, true} {
		for one := range catalogueOf(p, heavy).rows() {
			all = append(all, Row{Form: one.form.name, Defect: one.defect.name, Heavy: heavy})
		}
	}
	return all
}

// catalogue is what makes sense at a target: rows are made one by one, as a check takes few of some thousand.
type catalogue struct {
	forms   []form
	defects []defect
}

func catalogueOf(p *plan.Planner, heavy bool) catalogue {
	return catalogue{
		forms: slices.DeleteFunc(formsAt(p.Target), func(f form) bool { return f.heavy != heavy }),
		defects: slices.DeleteFunc(slices.Clone(defects), func(d defect) bool {
			return !p.Target.Exact && !d.anywhere || !slices.ContainsFunc(p.Issuers, d.fits)
		}),
	}
}

func (c catalogue) size() uint64 { return uint64(len(c.forms) * len(c.defects)) }

// at returns the row at a place below size.
func (c catalogue) at(place uint64) row {
	cycle, i := int(place)/len(c.forms), int(place)%len(c.forms) //nolint:gosec // Both are below size, which is an int.
	f, d := c.forms[i], c.defects[(i+cycle)%len(c.defects)]
	if f.presents && !d.presents { // Each form has its turn in each cycle: with the next defect, once more.
		d = c.defects[(i+cycle+1)%len(c.defects)]
	}
	return row{f, d}
}

func (c catalogue) rows() iter.Seq[row] {
	return func(yield func(row) bool) {
		for place := range c.size() {
			if !yield(c.at(place)) {
				return
			}
		}
	}
}
