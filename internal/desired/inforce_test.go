package desired_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
)

// ofPods are the fields of which no gate is told, and which can hold what few may read.
var ofPods = []string{
	"Image", "ImagePullPolicy", "ImagePullSecrets", "Command", "Args", "Env", "EnvFrom", "Resources", "Volumes", "VolumeMounts",
	"Multiuser", "Replicas", "StartupSeconds", "CommonLabels", "CommonAnnotations", "Pod", "Network", "Service",
}

// published is the ConfigMap of a server's gate, as far as it tells what it carries out.
func published(t *testing.T, server *v1alpha1.MCPServer) corev1.ConfigMap {
	t.Helper()
	made, err := gateconfig.ConfigMap(server, inputs(t))
	if err != nil {
		t.Fatal(err)
	}
	return corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Annotations: made.Annotations}}
}

// TestInForceTakesEveryFieldOfTheGate: of a spec with every field set, what is in force has those of the gate, and the present
// spec the others.
func TestInForceTakesEveryFieldOfTheGate(t *testing.T) {
	before := read(t, "testdata/every-field/in.yaml")
	before.Spec.Quilt = &v1alpha1.Quilt{Release: v1alpha1.QuiltUpTo014}
	found, known := gateconfig.InForce(&v1alpha1.MCPServer{}, published(t, before))
	if !known {
		t.Fatal("it is not known")
	}
	was, is := reflect.ValueOf(before.Spec), reflect.ValueOf(found.Spec)
	for i := range was.NumField() {
		field := was.Type().Field(i).Name
		taken := reflect.DeepEqual(was.Field(i).Interface(), is.Field(i).Interface())
		if was.Field(i).IsZero() || taken == slices.Contains(ofPods, field) {
			t.Errorf("%s: taken is %v, of %v", field, taken, was.Field(i))
		}
	}
}

func TestCarriesOut(t *testing.T) {
	server := read(t, "testdata/generic/in.yaml")
	config := published(t, server)
	for _, c := range []struct {
		name   string
		change func()
		want   bool
	}{
		{"as it was made", func() {}, true},
		{"another number of pods", func() { server.Spec.Replicas = ptr.To[int32](3) }, true},
		{"another path", func() { server.Spec.Path = "/other" }, false},
	} {
		if c.change(); gateconfig.CarriesOut(server, config) != c.want {
			t.Errorf("%s: want %v", c.name, c.want)
		}
	}
	if gateconfig.CarriesOut(server, corev1.ConfigMap{}) {
		t.Error("a ConfigMap that says nothing carries it out")
	}
	if before, known := gateconfig.InForce(server, config); !known || before.Spec.Path == "/other" || !gateconfig.CarriesOut(before, config) {
		t.Errorf("in force: known %v, path %s", known, before.Spec.Path)
	}
}

// TestInForceOfWhatDoesNotTell: a spec that is too long for an annotation, and a digest, which releases before wrote.
func TestInForceOfWhatDoesNotTell(t *testing.T) {
	server := read(t, "testdata/generic/in.yaml")
	server.Spec.Gate = &v1alpha1.Gate{}
	for range 100 {
		server.Spec.Gate.AllowedHosts = append(server.Spec.Gate.AllowedHosts, strings.Repeat("a", 1000)+".example")
	}
	config := published(t, server)
	if length := len(config.Annotations[v1alpha1.AnnotationSpec]); length > 1000 {
		t.Errorf("%d characters of annotation", length)
	}
	if !gateconfig.CarriesOut(server, config) {
		t.Error("it does not carry out what it was made from")
	}
	other := server.DeepCopy()
	other.Spec.Path = "/other"
	if found, known := gateconfig.InForce(other, config); known || found != other {
		t.Error("what is in force is known from a digest")
	}
}
