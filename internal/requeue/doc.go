// Package requeue compares the times after which a server is to be reconciled again.
package requeue
