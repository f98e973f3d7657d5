// Package cases has the test cases by name, but for those of the catalogue of forms. Each is the positive control with exactly
// one thing changed. A new one needs a probe.Case, a line in probe.Catalogue, and its place in All.
package cases
