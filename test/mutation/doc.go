// Package mutation tries the prober: the gate with one check taken out at a time must turn a round red, and the case
// that is named must be the one which that check answers to. And with any case taken out of the prober, some such gate
// would pass: no case is idle. `make mutation` runs it; docs/mutation.md has the table.
//
// The gates are one program, built from the gate's source with an overlay (go help build): the table's edits, each
// behind a switch, and the files of testdata/overlay. An environment variable names the check that is left out. What is
// shipped is built from the source alone, and has no such switch.
//
// The package must not know how the prober asks. What it knows of the gate's source are the texts that it replaces.
package mutation
