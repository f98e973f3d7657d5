// Package v1alpha1 is the API of Gatehouse: the MCPServer resource, its conditions and their reasons.
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +groupName=mcp.gatehouse.dev
package v1alpha1
