// Package rollout limits how many servers are upgraded at a time. It reads and writes nothing: its caller has read how far each is.
package rollout
