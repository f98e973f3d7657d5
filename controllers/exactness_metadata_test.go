package controllers_test

import (
	"context"
	"reflect"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// everyObject is how the page calls what all rows of metadata are about.
const everyObject = "every object"

// metadataEdits are what somebody makes of the metadata of an object. Every field of ObjectMeta is here or in keptFields.
var metadataEdits = []fieldEdit{
	{"labels", `{"metadata":{"labels":{"mcp.gatehouse.dev/server":null,"app.kubernetes.io/managed-by":"mallory"}}}`, isUndone},
	{"annotations", `{"metadata":{"annotations":{"team":"mallory"}}}`, isUndone},
	{"ownerReferences", `{"metadata":{"ownerReferences":[]}}`, isUndoneOrTold},
	{"finalizers", `{"metadata":{"finalizers":["example.com/hold"]}}`, isLeft + "the object outlives its server, and opens nothing"},
}

// isUndoneOrTold is what becomes of an owner reference. The API server of these tests has the admission plugin on.
const isUndoneOrTold = "It is put right; if the admission plugin OwnerReferencesPermissionEnforcement forbids that, `Accepted` is False, " +
	"`ObjectRefused`, with the command that restores it"

// isKept is said of what nobody but the API server sets in an object that exists.
const isKept = "The API server keeps it as it is"

var keptFields = []string{
	"name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
	"deletionGracePeriodSeconds", "managedFields",
}

// endpointSliceEdits are the same for the slices that lead to a gate while no pod is ready.
var endpointSliceEdits = []fieldEdit{
	{"addressType", `{"addressType":"FQDN"}`, isRefused},
	{"endpoints", `{"endpoints":[{"addresses":["10.9.9.9"],"conditions":{"ready":true}}]}`, isUndone},
	{"ports", `{"ports":[{"name":"mcp-gate","port":8000,"protocol":"TCP"}]}`, isUndone},
}

const endpointSlices = "EndpointSlice `NAME-fallback-*`"

var _ = Describe("The metadata of an object of the server, changed by somebody,", func() {
	It("has a row for each of its fields", func() {
		fields := slices.Clone(keptFields)
		for _, edit := range metadataEdits {
			fields = append(fields, edit.field)
		}
		var all []string
		for _, field := range reflect.VisibleFields(reflect.TypeFor[metav1.ObjectMeta]()) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			all = append(all, name)
		}
		Expect(fields).To(ConsistOf(all))
	})

	It("is put right, also where the operator's cache loses sight of the object", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "weather")
		server.Spec.CommonAnnotations = map[string]string{"team": "weather"}
		Expect(k8s.Create(ctx, server)).To(Succeed())
		for _, of := range objectEdits {
			if of.kind == "PodDisruptionBudget" { // one replica has none; what applies it is the same
				continue
			}
			for _, edit := range metadataEdits {
				metadataBecomes(ctx, server, of.kind, of.typed, of.suffix, edit)
			}
		}
		crashedPod(ctx, server, "10.8.0.1")
		Eventually(behind(ctx, server)).ShouldNot(BeEmpty())
		for _, edit := range slices.Concat(metadataEdits, endpointSliceEdits) {
			metadataBecomes(ctx, server, endpointSlices, &discoveryv1.EndpointSlice{}, fallbackName, edit)
		}
	})
})

// metadataBecomes makes the edit, and expects what the page says of it.
func metadataBecomes(ctx context.Context, server *v1alpha1.MCPServer, what string, typed client.Object, suffix string, edit fieldEdit) {
	GinkgoHelper()
	kind, err := k8s.GroupVersionKindFor(typed)
	Expect(err).NotTo(HaveOccurred())
	read := func() (any, error) {
		object := &unstructured.Unstructured{}
		object.SetGroupVersionKind(kind)
		err := fetch(ctx, server, object, suffix)
		return valueOf(object, edit.field), err
	}
	var before any
	Eventually(func() error { before, err = read(); return err }).Should(Succeed(), what)
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	object.SetNamespace(server.Namespace)
	object.SetName(server.Name + suffix)
	err = k8s.Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(edit.patch)), client.FieldOwner("mallory"))
	switch edit.told {
	case isRefused:
		Expect(err).To(MatchError(ContainSubstring("immutable")), "%s: %s", what, edit.field)
	case isUndone:
		Expect(err).NotTo(HaveOccurred(), "%s: %s", what, edit.field)
		Expect(valueOf(object, edit.field)).NotTo(Equal(before), "%s: %s was not changed", what, edit.field)
		Eventually(read).Should(Equal(before), "%s: %s", what, edit.field)
	case isUndoneOrTold:
		Expect(err).NotTo(HaveOccurred(), "%s: %s", what, edit.field)
		Eventually(func(g Gomega) {
			if accepted := condition(ctx, server, v1alpha1.ConditionAccepted)(); accepted.Status == metav1.ConditionFalse {
				g.Expect(accepted).To(say(metav1.ConditionFalse, v1alpha1.ReasonObjectRefused))
				restore(ctx, object, accepted.Message)
			}
			g.Expect(read()).To(Equal(before))
			g.Expect(condition(ctx, server, v1alpha1.ConditionAccepted)()).To(say(metav1.ConditionTrue, v1alpha1.ReasonAccepted))
		}).Should(Succeed(), "%s: %s", what, edit.field)
	default:
		Expect(err).NotTo(HaveOccurred(), "%s: %s", what, edit.field)
		Consistently(read, "300ms").ShouldNot(Equal(before), "%s: %s", what, edit.field)
		object.SetResourceVersion("")
		Expect(k8s.Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":[]}}`)))).To(Succeed())
	}
}

// valueOf is a field of an object, or of its metadata.
func valueOf(object *unstructured.Unstructured, field string) any {
	if value, found := object.Object[field]; found {
		return value
	}
	value, _, _ := unstructured.NestedFieldCopy(object.Object, "metadata", field)
	return value
}

// metadataRows are the rows of the page about metadata, and about the slices.
func metadataRows() []string {
	kept := objectEdit{kind: everyObject, edits: slices.Clone(metadataEdits)}
	for _, field := range keptFields {
		kept.edits = append(kept.edits, fieldEdit{field: field, told: isKept})
	}
	return slices.Concat(kept.rows(), objectEdit{kind: endpointSlices, edits: endpointSliceEdits}.rows())
}

// restore does what a message says of an object: kubectl patch KIND NAME -n NAMESPACE --type=merge -p 'PATCH'.
func restore(ctx context.Context, object *unstructured.Unstructured, message string) {
	GinkgoHelper()
	command := regexp.MustCompile(`kubectl patch (\S+) (\S+) -n (\S+) --type=merge -p '([^']+)'`).FindStringSubmatch(message)
	Expect(command).To(HaveLen(5), message)
	Expect(command[1:4]).To(Equal([]string{strings.ToLower(object.GetKind()), object.GetName(), object.GetNamespace()}))
	Expect(k8s.Patch(ctx, object.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(command[4])))).To(Succeed())
}
