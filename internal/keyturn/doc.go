// Package keyturn takes the steps that are due with the keys that the operator makes, by what is stored, what people ask for and
// what pods were seen to do. Nothing of a step is so before its Secret is written.
package keyturn
