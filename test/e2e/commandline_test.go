//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// gatehouse runs the command line about a server, as its user does, and returns what it prints.
func gatehouse(ctx context.Context, server *v1alpha1.MCPServer, arguments ...string) string {
	GinkgoHelper()
	said, err := commandLine(ctx, server, arguments...).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		Fail("gatehouse " + strings.Join(arguments, " ") + ": " + string(failed.Stderr))
	}
	Expect(err).NotTo(HaveOccurred())
	return string(said)
}

// watchStatus runs `gatehouse status NAME --watch`. end ends it, and returns all that it has printed.
func watchStatus(ctx context.Context, server *v1alpha1.MCPServer) (end func() string) {
	GinkgoHelper()
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	command := commandLine(watching, server, "status", server.Name, "--watch")
	var said, complaints bytes.Buffer
	command.Stdout, command.Stderr = &said, &complaints
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	Expect(command.Start()).To(Succeed())
	ended := make(chan struct{})
	go func() {
		_ = command.Wait() // it is interrupted
		close(ended)
	}()
	DeferCleanup(stop)
	return func() string {
		GinkgoHelper()
		Expect(ended).NotTo(BeClosed(), "it must not end by itself")
		stop()
		<-ended
		AddReportEntry("complaints of gatehouse status --watch", complaints.String(), ReportEntryVisibilityFailureOrVerbose)
		return said.String()
	}
}

func commandLine(ctx context.Context, server *v1alpha1.MCPServer, arguments ...string) *exec.Cmd {
	GinkgoHelper()
	Expect(missing("GATEHOUSE_CLI")).To(Succeed())
	return exec.CommandContext(ctx, os.Getenv("GATEHOUSE_CLI"), append(arguments, "--namespace", server.Namespace)...)
}
