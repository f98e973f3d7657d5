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

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

var _ = Describe("The Helm chart", Serial, Label("chart"), func() {
	It("installs an operator, upgrades it, and leaves the servers and the CRD when it goes", func(ctx SpecContext) {
		Expect(missing("HELM")).To(Succeed())
		hasTheClusterAlone(ctx)
		story := newStory(ctx)
		DeferCleanup(makes, "deploy")
		makes(ctx, "undeploy", "PURGE=1")

		By("installing it")
		helm(ctx, "install", append(images(), chart, "--create-namespace")...)
		fleet := []*v1alpha1.MCPServer{create(ctx, fake(story, "charted"))}
		Expect(fleet[0].Status.GateImage).To(Equal(os.Getenv("AUTHPROXY_IMG")))
		kids, pods := keysOf(ctx, fleet), uids(ctx, fleet)
		serve(ctx, fleet, kids)

		By("upgrading it")
		helm(ctx, "upgrade", chart, "--reset-then-reuse-values", "--set", "probeQPS=77")
		deployment, err := operator(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(deployment.Spec.Template.Spec.Containers[0].Args).To(ContainElement("--probe-qps=77"))
		isLookedAfter(ctx, fleet[0])

		By("uninstalling it")
		helm(ctx, "uninstall")
		operatorIsGone(ctx)
		Expect(keysOf(ctx, fleet)).To(Equal(kids))
		answersAsItShould(ctx, fleet[0])

		By("installing it again")
		helm(ctx, "install", append(images(), chart)...)
		isLookedAfter(ctx, fleet[0])
		serve(ctx, fleet, kids)
		Expect(uids(ctx, fleet)).To(Equal(pods), "nothing of this replaces pods")
		helm(ctx, "uninstall")
	}, NodeTimeout(15*time.Minute))
})

// helm runs a command of Helm on the release of the documentation, and waits until what it made is ready, or gone.
func helm(ctx context.Context, command string, arguments ...string) {
	GinkgoHelper()
	said, err := helmCommand(ctx, command, arguments...).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "helm %q: %s", arguments, said)
	AddReportEntry("what helm "+command+" says", string(said), ReportEntryVisibilityFailureOrVerbose)
}

func helmCommand(ctx context.Context, command string, arguments ...string) *exec.Cmd {
	arguments = append([]string{command, "gatehouse", "--namespace=gatehouse-system", "--wait", "--timeout=3m"}, arguments...)
	return exec.CommandContext(ctx, os.Getenv("HELM"), arguments...)
}

const chart = root + "/config/chart"

// images are the values that name those of this tree.
func images() []string {
	var out []string
	for value, variable := range map[string]string{"image": "IMG", "gateImage": "AUTHPROXY_IMG"} {
		image := os.Getenv(variable)
		colon := strings.LastIndex(image, ":")
		out = append(out, "--set", value+".repository="+image[:colon], "--set", value+".tag="+image[colon+1:])
	}
	return out
}
