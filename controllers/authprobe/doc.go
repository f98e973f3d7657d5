// Package authprobe keeps trying the lock of every pod, and says in the condition AuthHealthy what came of it.
//
// It decides when to try which pod, hands the trying to package probe, and judges a server from what was seen on its
// pods. A pod whose lock was proven gets its readiness gate set; one that was seen open loses it. The evidence is kept
// in memory: after a restart every pod is tried anew.
package authprobe
