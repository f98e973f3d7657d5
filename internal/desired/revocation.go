package desired

import (
	"cmp"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// Revoked is the "jti" and the "sub" that every server's list of revocations has, so that it can be seen to work: no token
// of this id or this subject is ever let in.
func Revoked(s *v1alpha1.MCPServer) string { return "gatehouse-probe-revoked-" + string(s.UID) }

// RevokedBefore is a "sub" on the same list, of which all tokens are too old.
func RevokedBefore(s *v1alpha1.MCPServer) string { return "gatehouse-probe-outdated-" + string(s.UID) }

// RevokedList is what the gate reads as gateapi.RevokedFile: the users' list, and the entries of the prober behind it, so
// that the numbers of its lines are the users'. None of them is about anybody else: there is none of kind "kid", as there
// is no key to spare, and none of issuedBefore for all.
func RevokedList(s *v1alpha1.MCPServer, users string) string {
	if users != "" && !strings.HasSuffix(users, "\n") {
		users += "\n"
	}
	return users + "jti:" + Revoked(s) + "\nsub:" + Revoked(s) + "\nissuedBefore:9999-12-31T23:59:59Z " + RevokedBefore(s) + "\n"
}

// RevokedRef names the users' list; nil if there is none.
func RevokedRef(s *v1alpha1.MCPServer) *v1alpha1.ConfigMapKeyRef {
	if s.Spec.Auth == nil || s.Spec.Auth.Revoked == nil {
		return nil
	}
	return &s.Spec.Auth.Revoked.ConfigMapRef
}

// RevokedKey is the data key of a ConfigMap with revocations.
func RevokedKey(ref v1alpha1.ConfigMapKeyRef) string {
	return cmp.Or(ref.Key, defaultRevokedKey)
}
