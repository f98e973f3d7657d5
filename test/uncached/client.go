// Package uncached lets the operator's controllers run in tests without a cache: they see at once what is there.
package uncached

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Client asks the API server where the operator asks a cache. It leaves out what only the indices of a cache understand; the
// labels that the operator asks for as well say the same.
type Client struct{ client.Client }

// List leaves out the fields.
func (c Client) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	var all client.ListOptions
	all.ApplyOptions(options)
	all.FieldSelector = nil
	return c.Client.List(ctx, list, &all) //nolint:wrapcheck // it stands for the client
}
