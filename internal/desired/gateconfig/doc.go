// Package gateconfig makes what gates are told: their configuration, in the form of each schema and for the files that their pods
// mount, and tells of a configuration which spec it is of.
package gateconfig
