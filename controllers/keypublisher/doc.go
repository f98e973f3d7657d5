// Package keypublisher knows what gates are given to load, and takes back what is to be revoked where the rest of a spec is not
// carried out: a revocation waits for nothing.
package keypublisher
