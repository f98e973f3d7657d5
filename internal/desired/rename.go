package desired

import (
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// A Secret or ConfigMap that somebody has made immutable cannot be written again, and a kubelet that has it mounted reads it
// never again, also not when it was deleted and made anew: by that name pods of that node get what it keeps, new ones too. Only
// by another name do they get what is right. Which name that is stands in the status, where only the operator writes; nobody can
// know it beforehand.

// maxRenamed is what the schema allows.
const maxRenamed = 32

// Rename gives the list of status.renamed after one more object got another name: its own, and a suffix.
func Rename(s *v1alpha1.MCPServer, name, suffix string, now time.Time) []v1alpha1.RenamedObject {
	base := baseName(s, name)
	list := append(slices.Clone(s.Status.Renamed), v1alpha1.RenamedObject{
		Name: name, NewName: base + "-" + suffix, Since: metav1.NewTime(now.UTC().Truncate(time.Second)),
	})
	for len(list) > maxRenamed {
		list = dropMiddle(s, list)
	}
	return list
}

// dropMiddle leaves out a name that is in use no more: the one before it leads to the one behind it.
func dropMiddle(s *v1alpha1.MCPServer, list []v1alpha1.RenamedObject) []v1alpha1.RenamedObject {
	for i, middle := range list {
		before := slices.IndexFunc(list, func(r v1alpha1.RenamedObject) bool { return r.NewName == middle.Name })
		if before >= 0 && baseName(s, middle.Name) != middle.Name {
			list[before].NewName = middle.NewName
			return slices.Delete(list, i, i+1)
		}
	}
	return list[1:]
}

// nameNow is the name that an object of this base name goes by.
func nameNow(s *v1alpha1.MCPServer, base string) string {
	name := base
	for range s.Status.Renamed {
		i := slices.IndexFunc(s.Status.Renamed, func(r v1alpha1.RenamedObject) bool { return r.Name == name })
		if i < 0 || !strings.HasPrefix(s.Status.Renamed[i].NewName, base+"-") {
			break
		}
		name = s.Status.Renamed[i].NewName
	}
	return name
}

// baseName is the first name of the object that goes by a name, or went by it.
func baseName(s *v1alpha1.MCPServer, name string) string {
	for range s.Status.Renamed {
		i := slices.IndexFunc(s.Status.Renamed, func(r v1alpha1.RenamedObject) bool { return r.NewName == name })
		if i < 0 {
			break
		}
		name = s.Status.Renamed[i].Name
	}
	return name
}

// FormerNames are those that the object of a name had before.
func FormerNames(s *v1alpha1.MCPServer, name string) []string {
	var out []string
	for _, known := range s.Status.Renamed {
		if baseName(s, known.NewName) == baseName(s, name) && known.Name != name {
			out = append(out, known.Name)
		}
	}
	return out
}

// RenamedAt is when the object of a name got it; zero if it is its first.
func RenamedAt(s *v1alpha1.MCPServer, name string) time.Time {
	for _, known := range s.Status.Renamed {
		if known.NewName == name {
			return known.Since.Time
		}
	}
	return time.Time{}
}

// OwnSecrets are the names of the server's own Secrets, former ones among them: what is there by those may be secret still.
func OwnSecrets(s *v1alpha1.MCPServer) []string {
	names := []string{KeysSecretName(s), GateSecretName(s)}
	for _, former := range s.Status.Renamed {
		if base := baseName(s, former.Name); base == s.Name+"-keys" || base == s.Name+"-gate" {
			names = append(names, former.Name)
		}
	}
	return names
}

// FirstNames begin the names of what gates mount, whatever these go by now.
func FirstNames(s *v1alpha1.MCPServer) []string {
	return []string{s.Name + "-authproxy", s.Name + "-jwks", s.Name + "-gate"}
}

// IsMounted tells whether the pods mount the server's own object of this name: all but the private keys.
func IsMounted(s *v1alpha1.MCPServer, name string) bool {
	return name == GateSecretName(s) || name == GateConfigName(s) || name == PublicKeysName(s)
}
