// Package rotation replaces the signing key of an issuer by a new one, so that no good token is refused meanwhile.
//
// A key set takes one step at a time, and only on what was seen: the new key is published; once every pod was seen to
// accept it, it signs; the old one still verifies for as long as a token of its can live; then it is no longer published,
// and the rotation ends once every pod was seen to refuse it. A revoked key skips all waiting but the last.
//
// The state is in the set, which is stored as a whole after each step: whoever dies between two steps is followed by
// somebody who goes on. The package must not know where sets are stored, or how pods are asked.
package rotation
