//go:build e2e

package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/test/upgrade"
)

const root = "../.."

// The oldest version in test/upgrade.
var (
	gateOldImage     = os.Getenv("GATE_OLD_IMG")
	operatorOldImage = os.Getenv("OPERATOR_OLD_IMG")
)

var _ = Describe("An upgrade from a version that people have", Serial, Label("upgrade"), func() {
	It("and back breaks no request, nor does an uninstall, and a full uninstall leaves nothing", func(ctx SpecContext) {
		releases, err := upgrade.Releases(root)
		Expect(err).NotTo(HaveOccurred())
		old, gate := releases[0], os.Getenv("AUTHPROXY_IMG")
		hasTheClusterAlone(ctx)
		story := newStory(ctx)
		DeferCleanup(makes, "deploy")
		makes(ctx, "undeploy", "PURGE=1")
		before := inventory(ctx)

		By("installing " + old.Version + " as its users did")
		install(ctx, old)
		fleet := []*v1alpha1.MCPServer{fake(story, "alpha"), onlyToolsOf(fake(story, "beta")), fake(story, "gamma")}
		fleet[0].Spec.Replicas, fleet[1].Spec.Replicas = ptrTo[int32](3), ptrTo[int32](2)
		for _, server := range fleet {
			create(ctx, server)
			Expect(server.Status.GateImage).To(Equal(gateOldImage))
		}
		kids := keysOf(ctx, fleet)
		startLoad(ctx, fleet...)
		DeferCleanup(stopLoad)
		Eventually(finished).WithContext(ctx).WithArguments("slow").Should(BeNumerically(">", 1))

		By("upgrading it")
		takes("the upgrade", func() {
			makes(ctx, "deploy", paced)
			follow(ctx, fleet, gate, gateapi.Schema)
		})
		// What the old version does not know.
		edit(ctx, fleet[2], func() { fleet[2].Spec.AuthProbe.Credential = v1alpha1.CredentialProbeKey })
		serve(ctx, fleet, kids)

		By("going back")
		takes("the way back", func() {
			install(ctx, old, "--server-side", "--force-conflicts")
			follow(ctx, fleet, gateOldImage, old.Schema)
		})
		serve(ctx, fleet, kids)
		Expect(fleet[2].Spec.AuthProbe.Credential).To(BeEmpty(), "the old version stores what it knows")

		By("upgrading it again")
		takes("the second upgrade", func() {
			makes(ctx, "deploy", paced)
			follow(ctx, fleet, gate, gateapi.Schema)
		})
		serve(ctx, fleet, kids)

		By("uninstalling the operator")
		pods := uids(ctx, fleet)
		makes(ctx, "undeploy")
		operatorIsGone(ctx)
		keepsOn(ctx)
		for _, server := range fleet {
			answersAsItShould(ctx, server)
		}

		By("installing it again")
		makes(ctx, "deploy", paced)
		for _, server := range fleet {
			isLookedAfter(ctx, server)
		}
		serve(ctx, fleet, kids)
		keepsOn(ctx)
		Expect(uids(ctx, fleet)).To(Equal(pods), "it has taken over its own, and replaced nothing")
		breaksNone(ctx)
		stopLoad(ctx)

		By("removing everything")
		makes(ctx, "undeploy", "PURGE=1")
		Eventually(func() []string { return without(inventory(ctx), before) }).WithContext(ctx).WithPolling(2 * time.Second).Should(BeEmpty())
	}, NodeTimeout(30*time.Minute))
})

// paced installs an operator that upgrades one server at a time.
const paced = "CONFIG=test/e2e/paced"

// hasTheClusterAlone: a full uninstall removes everybody's servers.
func hasTheClusterAlone(ctx context.Context) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		var servers v1alpha1.MCPServerList
		g.Expect(k8s.List(ctx, &servers)).To(Succeed())
		g.Expect(servers.Items).To(BeEmpty(), "this story uninstalls Gatehouse, and the cluster has MCPServers that are not its own")
	}).WithContext(ctx).Should(Succeed())
}

// makes runs make at the module's root.
func makes(ctx context.Context, arguments ...string) {
	GinkgoHelper()
	command := exec.CommandContext(ctx, "make", append([]string{"-C", root}, arguments...)...)
	said, err := command.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "make %q: %s", arguments, said)
}

// install applies what users of a version applied, with the images as they are named here, for one upgrade at a time.
func install(ctx context.Context, release upgrade.Release, flags ...string) {
	GinkgoHelper()
	text, err := os.ReadFile(release.Install)
	Expect(err).NotTo(HaveOccurred())
	manifests := strings.NewReplacer(
		"gatehouse.local/operator:"+release.Version, operatorOldImage, "gatehouse.local/authproxy:"+release.Version, gateOldImage,
		"- --leader-elect\n", "- --leader-elect\n        - --max-concurrent-upgrades=1\n").Replace(string(text))
	command := exec.CommandContext(ctx, root+"/hack/kubectl", append([]string{"apply", "-f", "-"}, flags...)...)
	command.Stdin = strings.NewReader(manifests)
	said, err := command.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s", said)
	Eventually(func(g Gomega) {
		deployment, err := operator(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(deployment.Spec.Template.Spec.Containers[0].Image).To(Equal(operatorOldImage))
		g.Expect(deployment.Status.ObservedGeneration).To(Equal(deployment.Generation))
		g.Expect(deployment.Status.UpdatedReplicas).To(Equal(operatorReplicas))
		g.Expect(deployment.Status.AvailableReplicas).To(Equal(operatorReplicas))
	}).WithContext(ctx).Should(Succeed())
}

// onlyToolsOf lets callers list the tools, and call one of them.
func onlyToolsOf(server *v1alpha1.MCPServer) *v1alpha1.MCPServer {
	server.Spec.Auth = &v1alpha1.Auth{Authorization: &v1alpha1.Authorization{
		DefaultAction: v1alpha1.ActionDeny, Rules: []v1alpha1.Rule{{Methods: []string{"tools/list"}}, {Tools: []string{"sleep"}}},
	}}
	return server
}

// serve: all servers are healthy, and have the keys that they had.
func serve(ctx context.Context, fleet []*v1alpha1.MCPServer, kids map[string][]string) {
	GinkgoHelper()
	for _, server := range fleet {
		becomesHealthy(ctx, server)
		answersAsItShould(ctx, server)
	}
	Expect(keysOf(ctx, fleet)).To(Equal(kids))
}

// keysOf gives the ids of the servers' keys, as their Secrets have them.
func keysOf(ctx context.Context, fleet []*v1alpha1.MCPServer) map[string][]string {
	GinkgoHelper()
	out := map[string][]string{}
	for _, server := range fleet {
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
		for _, key := range server.Status.Keys {
			out[server.Name] = append(out[server.Name], key.KID)
		}
		var secret corev1.Secret
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: desired.KeysSecretName(server)}, &secret)).To(Succeed())
		for _, data := range secret.Data {
			Expect(string(data)).To(ContainSubstring(out[server.Name][0]))
		}
	}
	return out
}

func uids(ctx context.Context, fleet []*v1alpha1.MCPServer) map[types.UID]bool {
	GinkgoHelper()
	out := map[types.UID]bool{}
	for _, server := range fleet {
		for _, pod := range podsOf(ctx, server) {
			out[pod.UID] = true
		}
	}
	return out
}

// takes reports how long something took.
func takes(what string, do func()) {
	GinkgoHelper()
	begun := time.Now()
	do()
	AddReportEntry("how long "+what+" took", time.Since(begun).Round(time.Second).String())
}
