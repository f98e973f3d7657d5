package client

import (
	"encoding/json"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// initResult is the result of initialize, and of server/discover.
type initResult struct {
	ProtocolVersion   string         `json:"protocolVersion"`
	SupportedVersions []string       `json:"supportedVersions"`
	ServerInfo        implementation `json:"serverInfo"`
	Capabilities      struct {
		Tools json.RawMessage `json:"tools"`
	} `json:"capabilities"`
	Meta struct {
		ServerInfo implementation `json:"io.modelcontextprotocol/serverInfo"`
	} `json:"_meta"`
}

type implementation struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

func (o initResult) info(sent secrets) *probe.ServerInfo {
	server, version := o.ServerInfo, o.ProtocolVersion
	if server.Name == "" {
		server = o.Meta.ServerInfo
	}
	if version == "" && len(o.SupportedVersions) > 0 {
		version = StatelessVersion
	}
	return &probe.ServerInfo{
		Name: sent.clean(server.Name), Version: sent.clean(server.Version), ProtocolVersion: sent.clean(version),
	}
}
