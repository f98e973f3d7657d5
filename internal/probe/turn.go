package probe

// Turn says what of a catalogue comes next. What a round asks a part of, it takes in turn, so that each part is asked within
// a number of rounds that is known. The zero value begins anywhere, by the seed.
type Turn struct {
	// Round counts rounds. Light and Heavy count the rows that were asked of the two parts of the catalogue of forms.
	Round, Light, Heavy uint64
	// Rest takes no rows.
	Rest bool
}

func (t Turn) isZero() bool { return t.Round == 0 && t.Light == 0 && t.Heavy == 0 }

// Rows that a round takes of the catalogue of forms. A beat takes one in three of four rounds, in place of WrongKey.
const (
	beatsPerWrongKey = 4

	lightPerRound = 3
	heavyPerRound = 1
)

// begin is where the turn of a round begins: a new one somewhere, by the seed.
func (r *round) begin(turn Turn) {
	r.turn = turn
	if turn.isZero() {
		r.turn.Light, r.turn.Heavy = r.seed, r.seed
	}
}

// offset is where lists begin that are asked in part.
func (r *round) offset() uint64 {
	if r.target.Turn.isZero() {
		return r.seed
	}
	return r.turn.Round
}

// inTurn gives count elements of a list, the next ones in each round; all of them where everything is wanted.
func inTurn[T any](r *round, all []T, count uint64) []T {
	if r.everything || uint64(len(all)) <= count {
		return all
	}
	first := r.offset() % uint64(len(all)) * count
	out := make([]T, 0, count)
	for i := range count {
		out = append(out, all[(first+i)%uint64(len(all))])
	}
	return out
}

// next is the turn of the next round: rows that were not asked after all have it again.
func (r *round) next() Turn {
	turn := r.turn
	turn.Round++
	turn.Light += r.taken.light
	turn.Heavy += r.taken.heavy
	turn.Rest = false
	return turn
}

// takesRow reports whether a beat asks a row of the catalogue.
func (r *round) takesRow() bool { return !r.target.Turn.isZero() && r.turn.Round%beatsPerWrongKey != 0 }
