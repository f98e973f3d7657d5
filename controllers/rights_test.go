package controllers_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/mcp-gatehouse/gatehouse/test/roles"
)

// The operator under test is a user of the API server with the roles that config/operator binds to its ServiceAccount.
// The API server writes down what it asks for.

const (
	operatorUser = "system:serviceaccount:gatehouse-system:gatehouse-operator"
	// auditedGroup has the users whose requests are written down. No role is bound to it.
	auditedGroup = "operator-under-test"
)

// neverAsked are rights that no request of the suite shows, and why they are granted all the same.
var neverAsked = map[roles.Right]string{
	{Group: "mcp.gatehouse.dev", Resource: "mcpservers/finalizers", Verb: "update"}: "the admission plugin OwnerReferencesPermissionEnforcement, " +
		"which is on in this suite, asks for it without a request",
	{Group: "discovery.k8s.io", Resource: "endpointslices/restricted", Verb: "create"}: "an admission plugin of OpenShift asks for it",
	{Group: "", Resource: "events", Verb: "patch"}:                                     "a change of leader that repeats is counted in the event that is there; nobody loses the lease here",
}

// isFallback: what is watched is listed where an API server does not stream its lists. The one under test does.
func isFallback(right roles.Right, used roles.Set) bool {
	return right.Verb == "list" && used[roles.Right{Group: right.Group, Resource: right.Resource, Verb: "watch"}]
}

// trail is what the API server writes down about operators.
type trail struct{ file string }

var audit = &trail{}

// What a trail tells: the rights that requests took, and those that were refused to the user operatorUser.
const (
	rightsUsed   = "rights that were used"
	rightsDenied = "rights that were denied"
)

// configure makes the API server write.
func (t *trail) configure(control *envtest.Environment) {
	folder, err := os.MkdirTemp("", "audit")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, folder)
	policy := filepath.Join(folder, "policy.yaml")
	Expect(os.WriteFile(policy, []byte(`{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], `+
		`"rules": [{"level": "Metadata", "userGroups": ["`+auditedGroup+`"]}]}`), 0o600)).To(Succeed())
	t.file = filepath.Join(folder, "audit.log")
	control.ControlPlane.GetAPIServer().Configure().
		Set("audit-policy-file", policy).Set("audit-log-path", t.file).
		Set("enable-admission-plugins", "OwnerReferencesPermissionEnforcement")
}

// auditEvent has what is read of an audit.k8s.io/v1 Event.
type auditEvent struct {
	Verb        string                                            `json:"verb"`
	RequestURI  string                                            `json:"requestURI"`
	User        struct{ Username string }                         `json:"user"`
	Annotations map[string]string                                 `json:"annotations"`
	ObjectRef   *struct{ Resource, Subresource, APIGroup string } `json:"objectRef"`
}

func (e auditEvent) right() roles.Right {
	if e.ObjectRef == nil {
		path, _, _ := strings.Cut(e.RequestURI, "?")
		return roles.Right{Resource: path, Verb: e.Verb}
	}
	resource := e.ObjectRef.Resource
	if e.ObjectRef.Subresource != "" {
		resource += "/" + e.ObjectRef.Subresource
	}
	return roles.Right{Group: e.ObjectRef.APIGroup, Resource: resource, Verb: e.Verb}
}

// read takes in what was written.
func (t *trail) read() (used roles.Set, denied []string) {
	file, err := os.Open(t.file)
	Expect(err).NotTo(HaveOccurred())
	defer file.Close()
	used = roles.Set{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event auditEvent
		Expect(json.Unmarshal(lines.Bytes(), &event)).To(Succeed())
		switch event.Annotations["authorization.k8s.io/decision"] {
		case "allow":
			used[event.right()] = true
		case "forbid":
			if event.User.Username == operatorUser {
				denied = append(denied, event.right().String()+": "+event.RequestURI)
			}
		}
	}
	Expect(lines.Err()).NotTo(HaveOccurred())
	return used, denied
}

// tell tells what was written.
func (t *trail) tell() {
	used, denied := t.read()
	var lines []string
	for right := range used {
		line, err := json.Marshal(right)
		Expect(err).NotTo(HaveOccurred())
		lines = append(lines, string(line))
	}
	addReport(rightsUsed, lines)
	addReport(rightsDenied, denied)
}

// newOperatorUser gives a connection of a user of this name, who is nobody but for what a folder of config binds to the
// operator's ServiceAccount.
func newOperatorUser(ctx context.Context, control *envtest.Environment, name, folder string) *rest.Config {
	GinkgoHelper()
	user, err := control.AddUser(envtest.User{Name: name, Groups: []string{auditedGroup}}, &rest.Config{QPS: 1000, Burst: 2000})
	Expect(err).NotTo(HaveOccurred())
	objects, err := roles.Build(folder)
	Expect(err).NotTo(HaveOccurred())
	for _, object := range objects {
		if object.GroupVersionKind().Group != rbacv1.GroupName {
			continue
		}
		if namespace := object.GetNamespace(); namespace != "" {
			err := k8s.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
			Expect(err == nil || apierrors.IsAlreadyExists(err)).To(BeTrue(), "%v", err)
		}
		if strings.HasSuffix(object.GetKind(), "Binding") {
			object.SetName(object.GetName() + "." + strings.ReplaceAll(name, ":", "."))
			object.Object["subjects"] = []any{map[string]any{"apiGroup": rbacv1.GroupName, "kind": rbacv1.UserKind, "name": name}}
		}
		err := k8s.Create(ctx, object)
		Expect(err == nil || apierrors.IsAlreadyExists(err)).To(BeTrue(), "%v", err)
	}
	return user.Config()
}

// granted gives what the roles of a folder give to whom they are bound.
func granted(folder string) (roles.Set, error) {
	objects, err := roles.Build(folder)
	if err != nil {
		return nil, err
	}
	bound := map[string]bool{}
	for _, object := range objects {
		if strings.HasSuffix(object.GetKind(), "Binding") {
			kind, _, _ := unstructured.NestedString(object.Object, "roleRef", "kind")
			name, _, _ := unstructured.NestedString(object.Object, "roleRef", "name")
			bound[kind+" "+name] = true
		}
	}
	out := roles.Set{}
	for _, object := range objects {
		if !bound[object.GetKind()+" "+object.GetName()] {
			continue
		}
		var role rbacv1.ClusterRole // a Role's rules are in the same place
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &role); err != nil {
			return nil, fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
		for right := range roles.Of(role.Rules) {
			out[right] = true
		}
	}
	return out, nil
}

var _ = Describe("The operator's events", func() {
	It("are counted when they repeat", func(ctx SpecContext) {
		server := newServer(newNamespace(ctx), "x")
		Expect(k8s.Create(ctx, server)).To(Succeed())
		var seen eventsv1.EventList
		tell := func() ([]eventsv1.Event, error) {
			eventRecorder.Eventf(server, nil, corev1.EventTypeNormal, "Again", "Repeat", "The same again.")
			err := k8s.List(ctx, &seen, client.InNamespace(server.Namespace))
			return seen.Items, err
		}
		Eventually(tell).Should(ContainElement(And(
			HaveField("Reason", "Again"), HaveField("Series", HaveField("Count", BeNumerically(">", 1))))))
	})
})

var _ = ReportAfterSuite("The operator's rights", func(report Report) {
	if !report.SuiteSucceeded || report.PreRunStats.SpecsThatWillRun != report.PreRunStats.TotalSpecs {
		return // who did not do everything did not use everything
	}
	used := roles.Set{}
	for line := range reported(report, rightsUsed) {
		var right roles.Right
		Expect(json.Unmarshal([]byte(line), &right)).To(Succeed())
		used[right] = true
	}
	Expect(reported(report, rightsDenied)).To(BeEmpty(), "the operator asked for what its roles do not grant")
	all, err := granted("../config/operator")
	Expect(err).NotTo(HaveOccurred())
	for right, why := range neverAsked {
		Expect(all).To(HaveKey(right), "nobody grants what stands in neverAsked")
		Expect(used).NotTo(HaveKey(right), "this was used after all: "+why)
		delete(all, right)
	}
	var unused []string
	for _, right := range all.Without(used) {
		if !isFallback(right, used) {
			unused = append(unused, right.String())
		}
	}
	Expect(unused).To(BeEmpty(), "rights that nobody uses: remove them from the markers, or say in neverAsked why they are granted")
})
