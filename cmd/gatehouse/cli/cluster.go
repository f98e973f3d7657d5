package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// ConnectFunc returns a client for the cluster, and the namespace that the command is about.
type ConnectFunc func() (client.WithWatch, string, error)

// AddClusterFlags gives a command the flags of kubectl that say which cluster, as whom and which namespace. They are not on
// the root: probe has nothing to do with a cluster, and must not take --token for one.
func AddClusterFlags(command *cobra.Command) ConnectFunc {
	flags := genericclioptions.NewConfigFlags(true)
	flags.AddFlags(command.PersistentFlags())
	cluster := func() (client.WithWatch, string, error) { return connect(flags) }
	completeNamespace(command, cluster)
	return cluster
}

// NewScheme returns a scheme with the types that the subcommands read.
func NewScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), appsv1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, fmt.Errorf("register types: %w", err)
	}
	return scheme, nil
}

// nobodysCluster is where client-go looks for an API server when it is told of none.
const nobodysCluster = "http://localhost:8080"

var errNoCluster = errors.New("no cluster is configured: set KUBECONFIG, or give --kubeconfig")

func connect(flags *genericclioptions.ConfigFlags) (client.WithWatch, string, error) {
	loader := flags.ToRawKubeConfigLoader()
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, "", Explain("find the namespace", err)
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, "", Explain("find the cluster", err)
	}
	if raw, err := loader.RawConfig(); err == nil && len(raw.Clusters) == 0 && config.Host == nobodysCluster && *flags.APIServer == "" {
		return nil, "", errNoCluster
	}
	scheme, err := NewScheme()
	if err != nil {
		return nil, "", err
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, "", Explain("reach the cluster", err)
	}
	return c, namespace, nil
}
