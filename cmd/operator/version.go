package main

import (
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilversion "k8s.io/apimachinery/pkg/util/version"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
)

// minServerVersion has native sidecars that cannot be switched off. Without them a server would start before its gate
// and outlive it.
var minServerVersion = utilversion.MustParseGeneric("1.33")

// checkServerVersion refuses a cluster that is too old. One that does not tell is taken at the administrator's word.
func checkServerVersion(config *rest.Config) error {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return fmt.Errorf("reach the cluster: %w", err)
	}
	info, err := client.ServerVersion()
	if apierrors.IsForbidden(err) {
		ctrl.Log.Info("the operator may not read the cluster's version, so nobody has checked that it is new enough", "needs", minServerVersion.String())
		return nil
	}
	if err != nil {
		return fmt.Errorf("ask the cluster for its version: %w", err)
	}
	clusterVersion, err := utilversion.ParseGeneric(info.GitVersion)
	if err != nil {
		return fmt.Errorf("version %q of the cluster: %w", info.GitVersion, err)
	}
	if clusterVersion.LessThan(minServerVersion) {
		return fmt.Errorf("the cluster runs Kubernetes %s; Gatehouse needs %s or newer, which have native sidecars", clusterVersion, minServerVersion)
	}
	return nil
}
