//go:build e2e

package e2e_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// The releases of this tree that are on the registry. Nothing of them is loaded into the node.
const olderRelease, newerRelease = "v0.0.1", "v0.0.2"

var _ = Describe("A release on a registry", Serial, Label("release"), func() {
	BeforeEach(func(ctx SpecContext) {
		Expect(errors.Join(missing("RELEASES"), missing("RELEASE_REGISTRY"), missing("HELM"))).To(Succeed())
		hasTheClusterAlone(ctx)
		DeferCleanup(makes, "deploy")
		makes(ctx, "undeploy", "PURGE=1")
	})

	It("is installed by kubectl, upgraded, and leaves the servers when it goes", func(ctx SpecContext) {
		story := newStory(ctx)

		By("installing it")
		begun := time.Now()
		kubectl(ctx, "apply", "-f", fileOf(olderRelease, "install.yaml"))
		operatorIsOfRelease(ctx, olderRelease)
		fleet := []*v1alpha1.MCPServer{create(ctx, fake(story, "applied"))}
		AddReportEntry("from nothing to a locked server", time.Since(begun).Round(time.Second).String())
		gateIsOfRelease(ctx, fleet[0], olderRelease)
		kids := keysOf(ctx, fleet)
		answersAsItShould(ctx, fleet[0])

		By("upgrading it")
		begun = time.Now()
		kubectl(ctx, "apply", "-f", fileOf(newerRelease, "install.yaml"))
		operatorIsOfRelease(ctx, newerRelease)
		gateIsOfRelease(ctx, fleet[0], newerRelease)
		AddReportEntry("upgrade", time.Since(begun).Round(time.Second).String())
		serve(ctx, fleet, kids)

		By("removing the operator")
		kubectl(ctx, "delete", "-f", fileOf(newerRelease, "operator.yaml"))
		operatorIsGone(ctx)
		Expect(keysOf(ctx, fleet)).To(Equal(kids))
		answersAsItShould(ctx, fleet[0])

		By("installing it by Helm, which takes over what kubectl has left")
		helm(ctx, "install", released(newerRelease, "--create-namespace", "--take-ownership", "--force-conflicts")...)
		isLookedAfter(ctx, fleet[0])
		serve(ctx, fleet, kids)
		helm(ctx, "uninstall")
	}, NodeTimeout(15*time.Minute))

	It("is installed by Helm, upgraded with its CRD, and leaves the servers and the CRD when it goes", func(ctx SpecContext) {
		story := newStory(ctx)

		By("naming a namespace that is not there")
		said, err := helmCommand(ctx, "install", released(olderRelease, "--create-namespace", "--set", "namespaces={not-there}")...).CombinedOutput()
		Expect(err).To(HaveOccurred())
		Expect(string(said)).To(ContainSubstring("namespace not-there, of the value namespaces, does not exist"))

		By("installing it under the same name")
		begun := time.Now()
		helm(ctx, "install", released(olderRelease, "--create-namespace")...)
		operatorIsOfRelease(ctx, olderRelease)
		fleet := []*v1alpha1.MCPServer{create(ctx, fake(story, "charted"))}
		AddReportEntry("from nothing to a locked server", time.Since(begun).Round(time.Second).String())
		gateIsOfRelease(ctx, fleet[0], olderRelease)
		kids := keysOf(ctx, fleet)
		answersAsItShould(ctx, fleet[0])

		By("upgrading it, from a CRD that lacks something, with both images of another registry")
		crd := crdOf(ctx)
		firstVersion(crd)["additionalPrinterColumns"] = []any{}
		asHelmApplied(ctx, crd)
		begun = time.Now()
		helm(ctx, "upgrade", released(newerRelease, "--reset-then-reuse-values", "--set", "registry="+os.Getenv("RELEASE_REGISTRY"))...)
		crd = crdOf(ctx)
		Expect(firstVersion(crd)["additionalPrinterColumns"]).NotTo(BeEmpty(), "helm upgrade brings the CRD up to date")
		Expect(crd.GetLabels()).To(HaveKeyWithValue("helm.sh/chart", "gatehouse-"+newerRelease[1:]))
		operatorIsOfRelease(ctx, newerRelease)
		gateIsOfRelease(ctx, fleet[0], newerRelease)
		Expect(fleet[0].Status.GateImage).To(HavePrefix(os.Getenv("RELEASE_REGISTRY") + "/authproxy@"))
		AddReportEntry("upgrade", time.Since(begun).Round(time.Second).String())
		serve(ctx, fleet, kids)

		By("uninstalling it")
		helm(ctx, "uninstall")
		operatorIsGone(ctx)
		crdOf(ctx)
		Expect(keysOf(ctx, fleet)).To(Equal(kids))
		answersAsItShould(ctx, fleet[0])

		By("installing it again")
		helm(ctx, "install", released(newerRelease, "--set", "registry="+os.Getenv("RELEASE_REGISTRY"))...)
		isLookedAfter(ctx, fleet[0])
		serve(ctx, fleet, kids)
		helm(ctx, "uninstall")
	}, NodeTimeout(15*time.Minute))
})

// crdOf reads the CRD.
func crdOf(ctx context.Context) *unstructured.Unstructured {
	GinkgoHelper()
	crd := &unstructured.Unstructured{}
	crd.SetAPIVersion("apiextensions.k8s.io/v1")
	crd.SetKind("CustomResourceDefinition")
	crd.SetName("mcpservers.mcp.gatehouse.dev")
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(crd), crd)).To(Succeed())
	return crd
}

// firstVersion gives the first version of the CRD.
func firstVersion(crd *unstructured.Unstructured) map[string]any {
	GinkgoHelper()
	spec := crd.Object["spec"].(map[string]any)
	return spec["versions"].([]any)[0].(map[string]any)
}

// asHelmApplied makes the CRD one that an older chart would have had.
func asHelmApplied(ctx context.Context, crd *unstructured.Unstructured) {
	GinkgoHelper()
	older := &unstructured.Unstructured{Object: map[string]any{"spec": crd.Object["spec"]}}
	older.SetGroupVersionKind(crd.GroupVersionKind())
	older.SetName(crd.GetName())
	older.SetLabels(crd.GetLabels())
	older.SetAnnotations(crd.GetAnnotations())
	Expect(k8s.Apply(ctx, client.ApplyConfigurationFromUnstructured(older), client.FieldOwner("helm"), client.ForceOwnership)).To(Succeed())
}

// released are the arguments that name the chart of a release on the registry.
func released(version string, arguments ...string) []string {
	return append([]string{"oci://" + os.Getenv("RELEASE_REGISTRY") + "/charts/gatehouse", "--plain-http", "--version", version[1:]}, arguments...)
}

func fileOf(version, name string) string { return os.Getenv("RELEASES") + "/" + version + "/" + name }

func kubectl(ctx context.Context, arguments ...string) {
	GinkgoHelper()
	said, err := exec.CommandContext(ctx, root+"/hack/kubectl", arguments...).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "kubectl %q: %s", arguments, said)
}

// digestIn gives the digest that a release has for an image.
func digestIn(version, image string) string {
	GinkgoHelper()
	list, err := os.ReadFile(fileOf(version, "images.txt"))
	Expect(err).NotTo(HaveOccurred())
	for line := range strings.Lines(string(list)) {
		if name, digest, _ := strings.Cut(strings.TrimSpace(line), "@"); strings.HasSuffix(name, "/"+image+":"+version) {
			return digest
		}
	}
	Fail(image + " is not in images.txt of " + version)
	return ""
}

// operatorIsOfRelease waits until all operators are of a release, which the kubelet has pulled by its digest.
func operatorIsOfRelease(ctx context.Context, version string) {
	GinkgoHelper()
	digest := digestIn(version, "operator")
	Eventually(func(g Gomega) {
		deployment, err := operator(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		container := deployment.Spec.Template.Spec.Containers[0]
		g.Expect(container.Image).To(HaveSuffix("@" + digest))
		g.Expect(deployment.Status.ObservedGeneration).To(Equal(deployment.Generation))
		g.Expect(deployment.Status.UpdatedReplicas).To(Equal(operatorReplicas))
		g.Expect(deployment.Status.AvailableReplicas).To(Equal(operatorReplicas))
	}).WithContext(ctx).Should(Succeed())
}

// gateIsOfRelease waits until all gates of a server are of a release, by what the kubelet says it has pulled.
func gateIsOfRelease(ctx context.Context, server *v1alpha1.MCPServer, version string) {
	GinkgoHelper()
	digest := digestIn(version, "authproxy")
	Eventually(func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(server), server)).To(Succeed())
		g.Expect(server.Status.GateImage).To(HaveSuffix("@" + digest))
		pods, err := tryPods(ctx, server)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(pods).NotTo(BeEmpty())
		for _, pod := range pods {
			g.Expect(pod.Status.InitContainerStatuses).To(ConsistOf(HaveField("ImageID", HaveSuffix("@"+digest))))
		}
	}).WithContext(ctx).Should(Succeed())
	becomesHealthy(ctx, server)
}
