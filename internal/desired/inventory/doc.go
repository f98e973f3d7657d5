// Package inventory lists what must exist for a server, in the order in which to apply it, and what must not.
package inventory
