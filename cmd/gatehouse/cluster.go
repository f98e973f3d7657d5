package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
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
	return func() (client.WithWatch, string, error) { return connect(flags) }
}

func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, fmt.Errorf("register types: %w", err)
	}
	return scheme, nil
}

func connect(flags *genericclioptions.ConfigFlags) (client.WithWatch, string, error) {
	loader := flags.ToRawKubeConfigLoader()
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, "", fmt.Errorf("find the namespace: %w", err)
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, "", fmt.Errorf("find the cluster: %w", err)
	}
	scheme, err := newScheme()
	if err != nil {
		return nil, "", err
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, "", fmt.Errorf("reach the cluster: %w", err)
	}
	return c, namespace, nil
}
