// Package alerts tries the alerts of config/prometheus on promtool, with series as the operator and the gates export them
// and with the labels that the Prometheus operator gives to its targets: every alert in every situation of situations_test.go.
// `make test-alerts` runs it, with build tag alerts.
//
// Without the tag it holds the rules against docs/alerts.md, which needs no promtool.
//
// It must not know how a metric comes about: whether the programs export these metrics is for their own tests, and for the
// end-to-end tests with label alerts.
package alerts
