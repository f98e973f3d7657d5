// Package expect judges one answer: a bad request must get its Refusal, a good token a JSON-RPC result. It is pure.
package expect
