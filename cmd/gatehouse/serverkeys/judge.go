package serverkeys

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// mayRotate gives the id of the key that signs, if a rotation can be asked for: if one is under way, or was asked for and
// has not begun, whoever asked would not know whose new key it is that comes.
func mayRotate(server *v1alpha1.MCPServer) (older string, err error) {
	all, err := managedKeys(server)
	if err != nil {
		return "", err
	}
	signing, found := signingKey(server)
	if !found {
		return "", fmt.Errorf("no key signs yet%s", keysReady(server))
	}
	for _, key := range all {
		if isOpen(key) {
			return "", fmt.Errorf("a rotation is under way: key %s is %s%s Ask again once it has ended", key.KID, key.Phase, keysReady(server))
		}
	}
	if at, pending := pendingRotation(server, signing.Since.Time); pending {
		return "", fmt.Errorf("a rotation was asked for at %s, by the annotation %s, and has not begun: does the operator run?",
			at.UTC().Format(time.RFC3339), v1alpha1.AnnotationRotateKeys)
	}
	return signing.KID, nil
}

// mayRevoke tells why a key cannot be revoked; nil if it can.
func mayRevoke(server *v1alpha1.MCPServer, kid string) error {
	all, err := managedKeys(server)
	if err != nil {
		return err
	}
	key, found := findKey(server, kid)
	switch {
	case !found:
		return fmt.Errorf("there is no key %s; those of type Managed are %s", kid, names(all))
	case !slices.ContainsFunc(all, func(k v1alpha1.KeyStatus) bool { return k.KID == kid }):
		return fmt.Errorf("key %s of provider %s is not of type Managed: take it out of where it comes from, or list kid:%s in auth.revoked", kid, key.Provider, kid)
	}
	other := server.Annotations[v1alpha1.AnnotationRevokeKey]
	if key, found := findKey(server, other); found && other != kid && !isWithdrawnForGood(key) {
		return fmt.Errorf("the annotation %s names key %s, which is to be revoked and is %s still: revoke one after the other",
			v1alpha1.AnnotationRevokeKey, other, key.Phase)
	}
	return nil
}

// managedKeys are the keys of the provider of type Managed; it is an error to have none.
func managedKeys(server *v1alpha1.MCPServer) ([]v1alpha1.KeyStatus, error) {
	provider, managed := desired.Resolve(server).Managed()
	if !managed {
		return nil, errors.New("it has no provider of type Managed: the keys of its providers are replaced where they come from")
	}
	var out []v1alpha1.KeyStatus
	for _, key := range server.Status.Keys {
		if key.Provider == provider.Name {
			out = append(out, key)
		}
	}
	return out, nil
}

func findKey(server *v1alpha1.MCPServer, kid string) (v1alpha1.KeyStatus, bool) {
	return firstKey(server, func(key v1alpha1.KeyStatus) bool { return key.KID == kid })
}

func signingKey(server *v1alpha1.MCPServer) (v1alpha1.KeyStatus, bool) {
	return firstKey(server, func(key v1alpha1.KeyStatus) bool { return key.Phase == v1alpha1.KeySigning })
}

func firstKey(server *v1alpha1.MCPServer, is func(v1alpha1.KeyStatus) bool) (v1alpha1.KeyStatus, bool) {
	i := slices.IndexFunc(server.Status.Keys, is)
	if i < 0 {
		return v1alpha1.KeyStatus{}, false
	}
	return server.Status.Keys[i], true
}

// isOpen tells that a rotation or a revocation has yet to do something with the key.
func isOpen(key v1alpha1.KeyStatus) bool {
	switch key.Phase {
	case v1alpha1.KeyPublished, v1alpha1.KeyRetiring:
		return true
	case v1alpha1.KeyRetired, v1alpha1.KeyRevoked:
		return key.RefusedTime.IsZero()
	case v1alpha1.KeySigning:
	}
	return false
}

// isWithdrawnForGood tells that a revocation of the key is stored, or has nothing left to do.
func isWithdrawnForGood(key v1alpha1.KeyStatus) bool {
	return key.Phase == v1alpha1.KeyRevoked || !key.RefusedTime.IsZero()
}

// pendingRotation tells when the rotation was asked for that has not begun: after the key began to sign. The time is what
// the annotation says and the API server noted, the earlier of the two; where neither tells, nothing is pending.
func pendingRotation(server *v1alpha1.MCPServer, signs time.Time) (at time.Time, pending bool) {
	asked := server.Annotations[v1alpha1.AnnotationRotateKeys]
	if asked == "" {
		return at, false
	}
	at, known := readTime(asked)
	for _, entry := range server.ManagedFields {
		if entry.Time == nil || entry.FieldsV1 == nil || !strings.Contains(entry.FieldsV1.GetRawString(), `"f:`+v1alpha1.AnnotationRotateKeys+`"`) {
			continue
		}
		if noted := entry.Time.Time; !known || noted.Before(at) {
			at, known = noted, true
		}
	}
	// Whole seconds are what status has.
	return at, known && signs.Before(at.Truncate(time.Second))
}

// readTime reads what this program writes, and `date +%s`.
func readTime(text string) (time.Time, bool) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, true
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(seconds, 0), err == nil
}

// keysReady is what the condition says, to be put behind a statement.
func keysReady(server *v1alpha1.MCPServer) string {
	if c := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionKeysReady); c != nil && c.Message != "" {
		return ". KeysReady says: " + c.Message
	}
	return "."
}

func names(all []v1alpha1.KeyStatus) string {
	if len(all) == 0 {
		return "none"
	}
	var out []string
	for _, key := range all {
		out = append(out, fmt.Sprintf("%s (%s)", key.KID, key.Phase))
	}
	return strings.Join(out, ", ")
}
