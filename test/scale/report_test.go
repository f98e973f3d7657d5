//go:build scale

package scale

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"
	"text/tabwriter"
	"time"
)

// report writes the tables that hack/scale.sh shows.
func report(t *testing.T, costs []cost) {
	t.Helper()
	file := logFile(t, "tables.txt")
	table(file, "Until all are Ready", costs, []row{
		{"created after", func(c cost) any { return c.created.Round(time.Second) }},
		{"Ready", func(c cost) any { return c.converged }},
		{"after", func(c cost) any { return c.ready.Round(time.Second) }},
		{"tried every", func(cost) any { return cmp.Or(*every, 30*time.Second) }},
		{"operator CPU", func(c cost) any { return (c.calm.cpu - c.start.cpu).Round(time.Second) }},
		{"operator CPU per server, ms", func(c cost) any { return milliseconds(c.calm.cpu-c.start.cpu) / float64(c.servers) }},
		{"operator memory at most, MiB", func(c cost) any { return mebibytes(c.calm.memory.Peak) }},
		{"API writes of the operator per server", func(c cost) any { return writes(c.start, c.calm) / float64(c.servers) }},
		{"API reads of the operator per server", func(c cost) any { return reads(c.start, c.calm) / float64(c.servers) }},
	})
	table(file, "Steady", costs, []row{
		{"watched for", func(c cost) any { return c.watched().Round(time.Second) }},
		{"operator CPU, cores", func(c cost) any { return (c.end.cpu - c.calm.cpu).Seconds() / c.watched().Seconds() }},
		{"operator CPU per server and hour, s", func(c cost) any { return c.hourly((c.end.cpu - c.calm.cpu).Seconds()) }},
		{"operator memory, MiB", func(c cost) any { return mebibytes(c.end.memory.Now) }},
		{"operator memory per server, KiB", func(c cost) any { return mebibytes(c.end.memory.Now) * 1024 / float64(c.servers) }},
		{"beats per server and hour", func(c cost) any { return c.hourly(c.end.rounds["Beat"] - c.calm.rounds["Beat"]) }},
		{"full rounds per server and hour", func(c cost) any { return c.hourly(c.end.rounds["Full"] - c.calm.rounds["Full"]) }},
		{"API writes of the operator per server and hour", func(c cost) any { return c.hourly(writes(c.calm, c.end)) }},
		{"API reads of the operator per server and hour", func(c cost) any { return c.hourly(reads(c.calm, c.end)) }},
	})
	for _, c := range costs {
		title := fmt.Sprintf("Requests to the API server, by anybody, until %d servers are Ready: in all, and for each", c.servers)
		asked(file, title, c.start, c.calm, float64(c.servers))
		title = fmt.Sprintf("Requests to the API server, by anybody, while %d servers are watched: in all, and for each in an hour", c.servers)
		asked(file, title, c.calm, c.end, float64(c.servers)*c.watched().Hours())
	}
}

// asked lists what was asked between two readings, and for each so many.
func asked(out io.Writer, title string, from, to reading, each float64) {
	fmt.Fprintln(out, title)
	for _, name := range slices.Sorted(maps.Keys(to.served)) {
		if count := to.served[name] - from.served[name]; count > 0 {
			fmt.Fprintf(out, "  %8.0f %8.2f  %s\n", count, count/each, name)
		}
	}
	fmt.Fprintln(out)
}

// row is a figure of each fleet.
type row struct {
	name string
	of   func(cost) any
}

func table(out io.Writer, title string, costs []cost, rows []row) {
	columns := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprint(columns, title, "\t")
	for _, c := range costs {
		fmt.Fprintf(columns, "%d servers\t", c.servers)
	}
	fmt.Fprintln(columns)
	for _, r := range rows {
		fmt.Fprint(columns, r.name, "\t")
		for _, c := range costs {
			if value, number := r.of(c).(float64); number {
				fmt.Fprintf(columns, "%.2f\t", value)
			} else {
				fmt.Fprintf(columns, "%v\t", r.of(c))
			}
		}
		fmt.Fprintln(columns)
	}
	_ = columns.Flush()
	fmt.Fprintln(out)
}

func (c cost) watched() time.Duration { return c.end.at.Sub(c.calm.at) }

// hourly turns a sum over the time of watching into one per server and hour.
func (c cost) hourly(sum float64) float64 {
	return sum / float64(c.servers) / c.watched().Hours()
}

func writes(from, to reading) (sum float64) {
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		sum += to.requests[method] - from.requests[method]
	}
	return sum
}

func reads(from, to reading) float64 { return to.requests["GET"] - from.requests["GET"] }

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }
