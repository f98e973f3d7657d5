// Package probeplan plans what a gate is asked: with which good tokens, under which names, by which rules of its server's spec. It
// reads nothing and asks nobody.
package probeplan
