package desired_test

import (
	"testing"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/workload"
)

// A server that has read a secret at its start is started again when that is another, at once: nobody waits for a fleet.
func TestAnotherLentSecretMakesNewPods(t *testing.T) {
	server := read(t, "testdata/quilt-up-to-014/in.yaml")
	in := inputs(t)
	in.LentKey = "first"
	before := deploymentOf(t, server, in)
	if got := before.Spec.Template.Annotations[v1alpha1.AnnotationLentKey]; got != "first" {
		t.Errorf("the template names %q", got)
	}
	in.LentKey = "second"
	change, _, err := workload.ChangeOf(server, deploymentOf(t, server, in), stored(t, before))
	if err != nil || change != workload.Asked {
		t.Errorf("another secret: got %v, %v", change, err)
	}
	if change, _, err = workload.ChangeOf(server, before, stored(t, before)); err != nil || change != workload.Unchanged {
		t.Errorf("the same secret: got %v, %v", change, err)
	}
}

func TestWhoIsLentNothingIsNotStartedAgain(t *testing.T) {
	for _, name := range []string{"quilt", "quilt-secret", "generic"} {
		in := inputs(t)
		in.LentKey = "first"
		config := deploymentOf(t, read(t, "testdata/"+name+"/in.yaml"), in)
		if _, found := config.Spec.Template.Annotations[v1alpha1.AnnotationLentKey]; found {
			t.Errorf("%s: the template names a secret that the server does not get", name)
		}
	}
}
