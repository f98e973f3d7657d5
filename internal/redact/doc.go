// Package redact takes secrets out of text that others wrote, and leaves the words: the name of a missing variable, a
// quota, a pod or an image is the diagnosis, a key never is.
//
// There are three levels. Clean only drops characters that forge or hide text; it is for what the API server and the gate
// say of themselves. Text also takes out what has the shape of a secret; it is for what containers, servers and the
// kubelet's image pulls say. Known takes out given secrets in any encoding, and goes before the other two, because it must
// see the text whole. Cutting comes last.
package redact
