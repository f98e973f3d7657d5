// Package routes watches HTTPRoutes where the cluster has them, and says what keeps a server's route from leading to it.
package routes
