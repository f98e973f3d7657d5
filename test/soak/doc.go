// Package soak keeps gates under load for a while: `make soak`. A flood of bad tokens beside good clients, thousands of
// idle connections, files that change under traffic and open streams, replicas that are killed, attacks on the memory of a
// gate in a cgroup, streams that are costly to judge, bodies that trickle: nobody may get a wrong answer meanwhile, and what
// it costs is reported in tables.
//
// It knows the gate's program and its mounted files, and the memory limit that the operator gives it. Times and memory are
// reported, not judged, because machines are shared, but for two promises: a gate in its default memory limit uses at most
// 80 % of it, and a caller who is no longer let in is out within 5 s.
package soak
