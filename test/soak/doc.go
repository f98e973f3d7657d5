// Package soak keeps gates under load for a while: `make soak`. A flood of bad tokens beside good clients, thousands of
// idle connections, files that change under traffic and open streams, replicas that are killed: nobody may get a wrong
// answer meanwhile, and what it costs is told in tables.
//
// It knows the gate's program and its mounted files. Times and memory are told, not judged: machines are shared.
package soak
