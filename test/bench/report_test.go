package main

import "testing"

func TestRatiosAreThoseOfTheirRound(t *testing.T) {
	first := []row{{Case: "direct", CPU: 5}, {Case: "reverseproxy", CPU: 10}, {Case: "gate", CPU: 20}, {Case: "gate-sse", CPU: 1}, {Case: "reverseproxy-sse", CPU: 4}}
	second := []row{{Case: "reverseproxy", CPU: 100}, {Case: "gate", CPU: 110}}
	third := []row{{Case: "reverseproxy", CPU: 10}, {Case: "gate", CPU: 30}}
	rows := []row{}
	for _, round := range [][]row{first, second, third} {
		compare(round)
		rows = append(rows, round...)
	}
	want := map[string]string{"direct": "-", "reverseproxy": "1.00", "gate": "2.00", "gate-sse": "0.25", "reverseproxy-sse": "1.00"}
	got := medians(rows)
	if len(got) != len(want) {
		t.Errorf("%d rows", len(got))
	}
	for _, r := range got {
		if r.share() != want[r.Case] {
			t.Errorf("%s: got %s, want %s", r.Case, r.share(), want[r.Case])
		}
	}
	if got[2].Case != "gate" || got[2].CPU != 30 {
		t.Errorf("the median of the gate: %+v", got[2])
	}
}
