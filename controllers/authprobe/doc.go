// Package authprobe keeps trying the lock of every pod, and says in the condition AuthHealthy what came of it.
//
// It decides when to try which pod, has the gate asked what package probeplan has planned, and reports how package authhealth
// judges what was seen. A pod whose lock was proven gets its readiness gate set; one that was seen open loses it. The evidence is
// kept in memory: after a restart every pod is tried anew.
package authprobe
