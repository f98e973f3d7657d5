package controllers_test

import (
	"context"
	"fmt"
	"os"
	"regexp"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// way is one way to unlock a pod: to get past its gate, to have the gate let somebody in, or to read its keys. Each is a
// row of docs/threats.md, in this order.
type way struct {
	// how somebody tries.
	how string
	// told is what becomes of it, as the page says.
	told string
	// try does it, and expects what is told, with these words in the message.
	try   func(ctx context.Context, w way)
	words string
}

// What becomes of an attempt. Whatever the operator finds it finds in its next round.
const (
	isRefused          = "The API server refuses it"
	wouldUnlock        = "`Accepted` is False, `GateBypass`: it is not carried out"
	isTemplateTampered = "`Accepted` is False, `TemplateTampered`; its pods get no traffic"
	isObjectTampered   = "`Accepted` is False, `ObjectTampered`"
	isNameTaken        = "`Accepted` is False, `NameTaken`"
	isPodTampered      = "`AuthHealthy` is False, `PodTampered`; the pod gets no traffic"
	isImpostor         = "`AuthHealthy` is False, `PodTampered`; no token is sent to it"
	isForeign          = "`AuthHealthy` is False, `ForeignEndpoint`"
	isBypass           = "`AuthHealthy` is False, `BypassReachable`"
	isOpen             = "`AuthHealthy` is False, `UnauthenticatedAccepted`; the pod gets no traffic"
	isPortTaken        = "`Available` is False, `GatePortTaken`; the gate does not start"
	isUnpublished      = "`AuthHealthy` is False, `GateConfigMismatch`; the pod gets no traffic"
	isRenamed          = "It gets another name, and the pods are replaced"
	isUndone           = "It is put right"
)

var _ = Describe("A way to unlock a pod:", func() {
	for _, w := range ways {
		It(w.how, func(ctx SpecContext) { w.try(ctx, w) })
	}

	It("there are many, and the page lists them all", func() {
		page, err := os.ReadFile("../docs/threats.md")
		Expect(err).NotTo(HaveOccurred())
		var documented, tried []string
		for _, row := range regexp.MustCompile(`(?m)^\| \d+ \| (.+) \| (.+) \|$`).FindAllStringSubmatch(string(page), -1) {
			documented = append(documented, row[1]+": "+row[2])
		}
		for _, w := range ways {
			tried = append(tried, w.how+": "+w.told)
		}
		Expect(documented).To(Equal(tried))
		AddReportEntry("ways to unlock a pod", fmt.Sprintf("%d, each refused, found or put right", len(ways)))
		Expect(len(ways)).To(BeNumerically(">=", 20))
	})
})

// askInSpec asks for it in the spec, of which fields is a piece of YAML. Admission refuses it.
func askInSpec(fields string) func(context.Context, way) {
	return func(ctx context.Context, w way) {
		GinkgoHelper()
		server := &unstructured.Unstructured{}
		Expect(yaml.Unmarshal(fmt.Appendf(nil, "spec: {image: server, %s}", fields), &server.Object)).To(Succeed())
		server.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("MCPServer"))
		server.SetNamespace("default")
		server.SetName("x")
		Expect(k8s.Create(ctx, server, client.DryRunAll)).To(MatchError(ContainSubstring(w.words)))
	}
}

// askPastAdmission asks for it where admission cannot tell: what is refused depends on the server's name.
func askPastAdmission(change func(*v1alpha1.MCPServer)) func(context.Context, way) {
	return func(ctx context.Context, w way) {
		GinkgoHelper()
		server := newUnwatched(ctx, change)
		start(testGateImage).build(ctx, server)
		Expect(condition(ctx, server, v1alpha1.ConditionAccepted)()).To(And(
			say(metav1.ConditionFalse, v1alpha1.ReasonGateBypass), HaveField("Message", ContainSubstring(w.words))))
		_, err := deploymentOf(ctx, server)()
		Expect(client.IgnoreNotFound(err)).To(Succeed())
		Expect(err).To(HaveOccurred(), "nothing of it is carried out")
	}
}

// finds has the operator make its round, and expects AuthHealthy to be False for the reason.
func (o *operator) finds(ctx context.Context, server *v1alpha1.MCPServer, reason, words string) {
	GinkgoHelper()
	o.act(ctx, server)
	Expect(condition(ctx, server, v1alpha1.ConditionAuthHealthy)()).To(And(
		say(metav1.ConditionFalse, reason), HaveField("Message", ContainSubstring(words))))
}
