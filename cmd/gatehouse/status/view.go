package status

import (
	"fmt"
	"io"
	"time"

	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/internal/statusreport"
)

// view writes servers in one format.
type view struct {
	out      io.Writer
	format   string
	single   bool
	overview statusreport.Overview
	written  bool
}

func (v *view) write(servers []statusreport.Server, now time.Time) error {
	again := v.written
	v.written = true
	switch {
	case v.format != cli.FormatTable:
		if again && v.format == cli.FormatYAML {
			if _, err := io.WriteString(v.out, "---\n"); err != nil {
				return err
			}
		}
		return cli.WriteDocument(v.out, v.format, v.document(servers))
	case !v.single:
		return v.overview.Write(v.out, servers, now)
	}
	if again {
		fmt.Fprintf(v.out, "\n%s\n", now.UTC().Format(time.RFC3339))
	}
	return statusreport.Details(v.out, servers[0], now)
}

// document is one server, or a list that is never null.
func (v *view) document(servers []statusreport.Server) any {
	if v.single {
		return servers[0]
	}
	return append([]statusreport.Server{}, servers...)
}
