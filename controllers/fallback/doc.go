// Package fallback keeps the EndpointSlices by which clients of a Service reach a gate while none of its pods is ready. See
// desired.Fallback, which says what they hold and why.
package fallback
