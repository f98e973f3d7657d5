package controllers_test

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
)

// fieldEdit is what somebody makes of a field of one of the server's objects, who may edit everything in its namespace.
type fieldEdit struct {
	// field is that of the object, such as spec.paused.
	field string
	// patch is a JSON merge patch that changes it.
	patch string
	// told is what becomes of it, as the page says.
	told string
}

// isLeft begins what is said of fields that others may set.
const isLeft = "It is left: "

// objectEdit is what somebody makes of the objects of a kind.
type objectEdit struct {
	kind  string
	typed client.Object
	// suffix is behind the server's name in the name of the object.
	suffix string
	// under is the field whose fields are edited; empty: the object itself.
	under string
	edits []fieldEdit
}

// objectEdits are by kind of object. Every field that the type has is here.
var objectEdits = []objectEdit{
	{"Deployment", &appsv1.Deployment{}, "", "spec", []fieldEdit{
		{"replicas", `{"spec":{"replicas":5}}`, isUndone},
		{"selector", `{"spec":{"selector":{"matchLabels":{"app":"evil"}}}}`, isRefused},
		{"template", `{"spec":{"template":{"spec":{"dnsPolicy":"Default"}}}}`, isUndone},
		{"strategy", `{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}`, isUndone},
		{"minReadySeconds", `{"spec":{"minReadySeconds":500}}`, isUndone},
		{"revisionHistoryLimit", `{"spec":{"revisionHistoryLimit":0}}`, isUndone},
		{"paused", `{"spec":{"paused":true}}`, isUndone},
		{"progressDeadlineSeconds", `{"spec":{"progressDeadlineSeconds":90000}}`, isUndone},
	}},
	{"Service", &corev1.Service{}, "", "spec", []fieldEdit{
		{"ports", `{"spec":{"ports":[{"name":"past","port":9,"targetPort":8000}]}}`, isUndone},
		{"selector", `{"spec":{"selector":{"app":"evil"}}}`, isUndone},
		{"clusterIP", `{"spec":{"clusterIP":"10.0.77.77"}}`, isRefused},
		{"clusterIPs", `{"spec":{"clusterIPs":["10.0.77.77"]}}`, isRefused},
		{"type", `{"spec":{"type":"LoadBalancer"}}`, isUndone},
		{"externalIPs", `{"spec":{"externalIPs":["192.0.2.1"]}}`, isUndone},
		{"sessionAffinity", `{"spec":{"sessionAffinity":"None","sessionAffinityConfig":null}}`, isUndone},
		{"sessionAffinityConfig", `{"spec":{"sessionAffinityConfig":{"clientIP":{"timeoutSeconds":1}}}}`, isUndone},
		{"loadBalancerIP", `{"spec":{"loadBalancerIP":"192.0.2.1"}}`, isUndone},
		{"loadBalancerSourceRanges", `{"spec":{"type":"LoadBalancer","loadBalancerSourceRanges":["192.0.2.0/24"]}}`, isUndone},
		{"externalName", `{"spec":{"type":"ExternalName","externalName":"evil.example.com"}}`, isUndone},
		{"externalTrafficPolicy", `{"spec":{"type":"LoadBalancer","externalTrafficPolicy":"Local"}}`, isUndone},
		{"healthCheckNodePort", `{"spec":{"type":"LoadBalancer","externalTrafficPolicy":"Local","healthCheckNodePort":31999}}`, isUndone},
		{"publishNotReadyAddresses", `{"spec":{"publishNotReadyAddresses":true}}`, isUndone},
		{"ipFamilies", `{"spec":{"ipFamilies":["IPv6"]}}`, isRefused},
		{"ipFamilyPolicy", `{"spec":{"ipFamilyPolicy":"PreferDualStack"}}`, isLeft + "the cluster gives addresses"},
		{"allocateLoadBalancerNodePorts", `{"spec":{"type":"LoadBalancer","allocateLoadBalancerNodePorts":false}}`, isUndone},
		{"loadBalancerClass", `{"spec":{"type":"LoadBalancer","loadBalancerClass":"example.com/evil"}}`, isUndone},
		{"internalTrafficPolicy", `{"spec":{"internalTrafficPolicy":"Local"}}`, isUndone},
		{"trafficDistribution", `{"spec":{"trafficDistribution":"PreferSameNode"}}`, isUndone},
	}},
	{"NetworkPolicy", &networkingv1.NetworkPolicy{}, "", "spec", []fieldEdit{
		{"podSelector", `{"spec":{"podSelector":{"matchLabels":{"app":"none"}}}}`, isUndone},
		{"ingress", `{"spec":{"ingress":[{}]}}`, isUndone},
		{"egress", `{"spec":{"egress":[{}]}}`, isUndone},
		{"policyTypes", `{"spec":{"policyTypes":["Egress"]}}`, isUndone},
	}},
	{"PodDisruptionBudget", &policyv1.PodDisruptionBudget{}, "", "spec", []fieldEdit{
		{"minAvailable", `{"spec":{"minAvailable":2,"maxUnavailable":null}}`, isUndone},
		{"selector", `{"spec":{"selector":{"matchLabels":{"app":"none"}}}}`, isUndone},
		{"maxUnavailable", `{"spec":{"maxUnavailable":0}}`, isUndone},
		{"unhealthyPodEvictionPolicy", `{"spec":{"unhealthyPodEvictionPolicy":"IfHealthyBudget"}}`, isUndone},
	}},
	{"ServiceAccount", &corev1.ServiceAccount{}, "", "", []fieldEdit{
		{"secrets", `{"secrets":[{"name":"other"}]}`, isLeft + "some platforms keep names there; nothing of it is mounted"},
		{"imagePullSecrets", `{"imagePullSecrets":[{"name":"other"}]}`, isLeft + "how images are fetched, not which"},
		{"automountServiceAccountToken", `{"automountServiceAccountToken":true}`, isUndone},
	}},
	{"ConfigMap `NAME-jwks`", &corev1.ConfigMap{}, "-jwks", "", []fieldEdit{
		{"data", `{"data":{"managed.jwks":"{}","more":"x"}}`, isUndone},
		{"binaryData", `{"binaryData":{"more":"eA=="}}`, isUndone},
		{"immutable", `{"immutable":true}`, isRenamed},
	}},
	{"ConfigMap `NAME-authproxy`", &corev1.ConfigMap{}, "-authproxy", "", []fieldEdit{
		{"data", `{"data":{"authproxy.v2.json":"{}","more":"x"}}`, isUndone},
		{"binaryData", `{"binaryData":{"more":"eA=="}}`, isUndone},
		{"immutable", `{"immutable":true}`, isRenamed},
	}},
	{"Secret `NAME-keys`", &corev1.Secret{}, "-keys", "", []fieldEdit{
		{"data", `{"data":{"more":"eA=="}}`, isLeft + "who may write Secrets may read the keys, and no key may be lost"},
		{"stringData", `{"stringData":{"another":"x"}}`, isLeft + "likewise"},
		{"type", `{"type":"example.com/other"}`, isRefused},
		{"immutable", `{"immutable":true,"data":{"more":null,"another":null}}`, isLeft + "the keys go on, and get another name once they must be written"},
	}},
	{"Secret `NAME-gate`", &corev1.Secret{}, "-gate", "", []fieldEdit{
		{"data", `{"data":{"more":"eA=="}}`, isLeft + "who may write Secrets may read it; the gate reports a secret that the operator has not published"},
		{"stringData", `{"stringData":{"another":"x"}}`, isLeft + "likewise, of what the gate mounts"},
		{"type", `{"type":"example.com/other"}`, isRefused},
		{"immutable", `{"immutable":true}`, isRenamed},
	}},
}

// elsewhere are fields that other specs are about.
var elsewhere = []string{"kind", "apiVersion", "metadata"}

var _ = Describe("Every field of an object of the server, changed by somebody,", func() {
	for _, of := range objectEdits {
		It("is refused, put right or left for a reason: "+of.kind, func(ctx SpecContext) {
			server := newUnwatched(ctx, func(s *v1alpha1.MCPServer) { s.Spec.Replicas = ptr.To(int32(2)) })
			o := start(testGateImage)
			o.build(ctx, server)
			var tried []string
			for _, edit := range of.edits {
				tried = append(tried, edit.field)
				Expect(becomes(ctx, o, server, of.typed, of.suffix, of.under, edit)).To(Equal(strings.SplitAfter(edit.told, ":")[0]), "%s: %s", of.kind, edit.field)
				Expect(condition(ctx, server, v1alpha1.ConditionAccepted)()).To(HaveField("Reason", v1alpha1.ReasonAccepted), "%s: %s", of.kind, edit.field)
			}
			Expect(tried).To(ConsistOf(fieldsOf(of.typed, of.under)), "every field of the type, and no other")
		})
	}

	It("is on the page, and so is every field of a pod", func() {
		page, err := os.ReadFile("../docs/threats.md")
		Expect(err).NotTo(HaveOccurred())
		for _, row := range slices.Concat(objectRows(), podRows()) {
			Expect(string(page)).To(ContainSubstring(row + "\n"))
		}
	})
})

// becomes makes the edit, has the operator look, and tells what came of it.
func becomes(ctx context.Context, o *operator, server *v1alpha1.MCPServer, typed client.Object, suffix, under string, edit fieldEdit) string {
	GinkgoHelper()
	kind, err := k8s.GroupVersionKindFor(typed)
	Expect(err).NotTo(HaveOccurred())
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	read := func() any {
		Expect(fetch(ctx, server, object, suffix)).To(Succeed())
		if under == "" {
			return object.Object[edit.field]
		}
		value, _, err := unstructured.NestedFieldCopy(object.Object, under, edit.field)
		Expect(err).NotTo(HaveOccurred())
		return value
	}
	before := read()
	err = k8s.Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(edit.patch)), client.FieldOwner("mallory"))
	if apierrors.IsInvalid(err) {
		return isRefused
	}
	Expect(err).NotTo(HaveOccurred())
	if edit.field != "stringData" { // it is not stored
		Expect(read()).NotTo(Equal(before), "%s was not changed", edit.field)
	}
	o.build(ctx, server)
	if slices.ContainsFunc(fresh(ctx, server).Status.Renamed, func(r v1alpha1.RenamedObject) bool { return r.Name == object.GetName() }) {
		return isRenamed
	}
	if edit.field != "stringData" && reflect.DeepEqual(read(), before) {
		return isUndone
	}
	return isLeft[:strings.Index(isLeft, ":")+1]
}

// fieldsOf are the names of the fields of an object, or of one of its fields, from its type.
func fieldsOf(typed client.Object, under string) []string {
	of := reflect.TypeOf(typed).Elem()
	if under != "" {
		field, found := of.FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, under) })
		Expect(found).To(BeTrue())
		of = field.Type
	}
	var names []string
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		if name != "" && name != "status" && !slices.Contains(elsewhere, name) {
			names = append(names, name)
		}
	}
	return names
}

// objectRows are the rows of the page about objects.
func objectRows() []string {
	var rows []string
	for _, of := range objectEdits {
		rows = append(rows, of.rows()...)
	}
	return append(rows, metadataRows()...)
}

// rows has the fields of one outcome together.
func (of objectEdit) rows() []string {
	var rows, outcomes []string
	fields := map[string][]string{}
	for _, edit := range of.edits {
		if fields[edit.told] == nil {
			outcomes = append(outcomes, edit.told)
		}
		fields[edit.told] = append(fields[edit.told], "`"+edit.field+"`")
	}
	for _, told := range outcomes {
		rows = append(rows, fmt.Sprintf("| %s | %s | %s |", of.kind, strings.Join(fields[told], ", "), told))
	}
	return rows
}

// podRows are the rows of the page about the fields of a pod.
func podRows() []string {
	var rows []string
	for _, group := range podlock.FieldGroups {
		fields := "all others"
		if group.Fields[0] != "" {
			fields = "`" + strings.Join(group.Fields, "`, `") + "`"
		} else if group.Judged == podlock.Compared {
			fields = "all"
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |", group.Part, fields, group.Judged, group.Why))
	}
	return rows
}
