package verify_test

import (
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// A token that came before: what nearly every request costs.
func BenchmarkKnownToken(b *testing.B) {
	bench := newFixture(b)
	raw := bench.good()
	verifier := bench.verifier(testClock)
	if _, denial := verifier.Verify(raw); denial != nil {
		b.Fatal(denial.Reason)
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if candidate, denial := verifier.Screen(raw); denial != nil || !candidate.Verified() {
				b.Error("not known")
			} else if principal, _ := candidate.Verify(); !principal.Valid() {
				b.Error("not valid")
			}
		}
	})
}

// A token that is refused before its signature is looked at.
func BenchmarkScreenedToken(b *testing.B) {
	bench := newFixture(b)
	raw := bench.sign(bench.ed, bench.header(), with(bench.claims(), "exp", 0))
	verifier := bench.verifier(testClock)
	b.ReportAllocs()
	for b.Loop() {
		if _, denial := verifier.Screen(raw); denial == nil {
			b.Fatal("accepted")
		}
	}
}

// A forgery, by the algorithm of the key it names: what it costs to be asked for a signature.
func BenchmarkForgedToken(b *testing.B) {
	bench := newFixture(b)
	for _, c := range []struct {
		key    keys.Private
		issuer string
	}{{bench.ed, "urn:one"}, {bench.ec, "urn:one"}, {bench.rsa, "urn:two"}} {
		b.Run(string(c.key.Algorithm()), func(b *testing.B) {
			header := fields{"alg": c.key.Algorithm(), "typ": "at+jwt", "kid": c.key.ID()}
			raw := bench.sign(c.key, header, with(bench.claims(), "iss", c.issuer))
			raw = raw[:len(raw)-10] + "AAAAAAAAAA"
			verifier := bench.verifier(testClock)
			b.ReportAllocs()
			for b.Loop() {
				if _, denial := verifier.Verify(raw); denial == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}
