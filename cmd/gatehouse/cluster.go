package main

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

// connector gives a client for the cluster, and the namespace that the command is about.
type connector func() (client.WithWatch, string, error)

// withCluster gives a command the flags of kubectl that say which cluster, as whom and which namespace. They are not on
// the root: probe has nothing to do with a cluster, and must not take --token for one.
func withCluster(command *cobra.Command) connector {
	flags := genericclioptions.NewConfigFlags(true)
	flags.AddFlags(command.PersistentFlags())
	cluster := func() (client.WithWatch, string, error) { return connect(flags) }
	completesNamespace(command, cluster)
	return cluster
}

func newScheme() (*runtime.Scheme, error) {
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
		return nil, "", explain("find the namespace", err)
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, "", explain("find the cluster", err)
	}
	if raw, err := loader.RawConfig(); err == nil && len(raw.Clusters) == 0 && config.Host == nobodysCluster && *flags.APIServer == "" {
		return nil, "", errNoCluster
	}
	scheme, err := newScheme()
	if err != nil {
		return nil, "", err
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, "", explain("reach the cluster", err)
	}
	return c, namespace, nil
}
