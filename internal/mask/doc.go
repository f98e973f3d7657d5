// Package mask takes secrets out of text that others wrote, and leaves the words: the name of a missing variable, a
// quota, a pod or an image is the diagnosis, a key never is.
//
// Text is for what containers, servers and the kubelet's image pulls say: it takes out what has the shape of a secret.
// Trusted is for the API server and the gate: it does not judge by randomness, as they name things by identifiers. Known
// takes out given secrets in any encoding, and goes before the other two, because it must see the text whole. Cutting comes
// last.
package mask
