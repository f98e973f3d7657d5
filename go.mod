module github.com/mcp-gatehouse/gatehouse

go 1.26.8
