// Only the dashboards want Grafana's types: a module of its own keeps them out of the main one.
module github.com/mcp-gatehouse/gatehouse/hack/dashboards

go 1.26.8

require github.com/grafana/grafana-foundation-sdk/go v0.0.22
