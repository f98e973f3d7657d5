package keypublisher

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/keysource"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/revocation"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
	"github.com/mcp-gatehouse/gatehouse/internal/serverstatus"
	"github.com/mcp-gatehouse/gatehouse/internal/terminal"
)

// revokedFiles are the published files with what is revoked taken out, and on the list. now is what was read of the keys in
// force.
func (p Publisher) revokedFiles(ctx context.Context, server, inForce *v1alpha1.MCPServer, published map[string]string, now serverstatus.Seen) (map[string]string, error) {
	files := maps.Clone(published)
	for _, t := range now.Turns {
		file := gateapi.KeysFile(t.Provider)
		if !publishesRevoked(published[file], t.Next) {
			continue
		}
		var public []keys.Public
		for _, key := range now.Private[t.Provider] {
			public = append(public, key.Public())
		}
		encoded, err := keys.MarshalPublic(public)
		if err != nil {
			return nil, err
		}
		files[file] = string(encoded)
	}
	text, err := p.revokedText(ctx, server, inForce, published[gateapi.RevokedFile])
	if err != nil {
		return nil, err
	}
	files[gateapi.RevokedFile] = desired.RevokedList(inForce, text)
	return files, nil
}

// publishesRevoked reports whether a published key set has a key that was revoked.
func publishesRevoked(published string, set rotation.Set) bool {
	return slices.ContainsFunc(set.Keys, func(key rotation.Key) bool {
		return key.Phase == rotation.Revoked && strings.Contains(published, strconv.Quote(key.ID))
	})
}

// revokedText is what is on the list of the spec, and on that of the spec in force where it is another: while a spec is not
// carried out, nothing is let in again for its sake. A list that has faults, or cannot be read, adds to what was published,
// and takes nothing away.
func (p Publisher) revokedText(ctx context.Context, server, inForce *v1alpha1.MCPServer, published string) (string, error) {
	text := strings.TrimSuffix(published, desired.RevokedList(inForce, ""))
	wanted, standing := desired.RevokedRef(server), desired.RevokedRef(inForce)
	if standing != nil {
		users, whole, err := p.revokedList(ctx, inForce)
		if err != nil {
			return "", err
		}
		if !whole {
			users = withLines(text, users)
		}
		text = users
	}
	if wanted == nil || standing != nil && *standing == *wanted {
		return text, nil
	}
	users, _, err := p.revokedList(ctx, server)
	both := withLines(text, users)
	if _, tooMuch := revocation.Parse([]byte(desired.RevokedList(inForce, both))); err != nil || tooMuch != nil {
		return text, err
	}
	return both, nil
}

// withLines adds to a list the lines of another that it lacks.
func withLines(list, other string) string {
	lines := strings.Split(strings.TrimSuffix(list, "\n"), "\n")
	there := sets.New(lines...)
	for line := range strings.SplitSeq(strings.TrimSuffix(other, "\n"), "\n") {
		if !there.Has(line) {
			there.Insert(line)
			lines = append(lines, line)
		}
	}
	return strings.TrimPrefix(strings.Join(lines, "\n"), "\n")
}

// revokedList reads the list that a spec names. Of one with faults it is what can be used, and none of it if there is no such
// list: status tells of both.
func (p Publisher) revokedList(ctx context.Context, server *v1alpha1.MCPServer) (text string, whole bool, err error) {
	var seen keysource.Objects
	var wrong *terminal.Error
	err = keysource.Reader{Live: p.Live, Parsed: p.Parsed, Namespace: server.Namespace, Into: &seen}.Revoked(ctx, server)
	if errors.As(err, &wrong) {
		return seen.Revoked, false, nil
	}
	return seen.Revoked, err == nil, err
}
