// Package verdicts judges the Report of a check, by its worst result and by what failed in earlier checks and is not refuted,
// and words it. It is pure.
package verdicts
