package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
)

// row is one case with a number of connections: of one round, or the medians of all.
type row struct {
	Case              string  `json:"case"`
	Connections       int     `json:"connections"`
	RequestsPerSecond float64 `json:"requests_per_second"`
	// CPU is the time of the process that was asked, in user and kernel. For "direct" that is the server.
	CPU float64 `json:"cpu_us_per_request"`
	P50 float64 `json:"p50_us"`
	P99 float64 `json:"p99_us"`
	RSS int64   `json:"rss_bytes"`

	// ratio is CPU as part of what the bare reverse proxy took for the same in the same round; 0 where that is not known.
	ratio float64
}

// startRow tells of a gate that has just started and of its program.
type startRow struct {
	Case         string  `json:"case"`
	ReadyMillis  float64 `json:"ready_ms"`
	RSS          int64   `json:"rss_bytes"`
	ProgramBytes int64   `json:"program_bytes"`
}

// medians makes one row of the rounds of each case.
func medians(rows []row) []row {
	type key struct {
		name        string
		connections int
	}
	var order []key
	rounds := map[key][]row{}
	for _, r := range rows {
		k := key{r.Case, r.Connections}
		if rounds[k] == nil {
			order = append(order, k)
		}
		rounds[k] = append(rounds[k], r)
	}
	out := make([]row, 0, len(order))
	for _, k := range order {
		all := rounds[k]
		out = append(out, row{
			Case: k.name, Connections: k.connections,
			RequestsPerSecond: median(all, func(r row) float64 { return r.RequestsPerSecond }),
			CPU:               median(all, func(r row) float64 { return r.CPU }),
			P50:               median(all, func(r row) float64 { return r.P50 }),
			P99:               median(all, func(r row) float64 { return r.P99 }),
			RSS:               int64(median(all, func(r row) float64 { return float64(r.RSS) })),
			ratio:             median(all, func(r row) float64 { return r.ratio }),
		})
	}
	return out
}

func median(rows []row, value func(row) float64) float64 {
	values := make([]float64, 0, len(rows))
	for _, r := range rows {
		values = append(values, value(r))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func (b *bench) report(ctx context.Context) error {
	rows := medians(b.rows)
	if err := b.write(rows); err != nil {
		return err
	}
	fmt.Printf("medians of %d rounds of %s, %s, %d processors", b.plan.rounds, b.plan.each, runtime.Version(), runtime.NumCPU())
	if b.plan.haproxy != "" {
		fmt.Printf(", %s", b.haproxyVersion(ctx))
	}
	fmt.Println()
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "case\tconnections\trequests/s\tCPU us/request\tof reverseproxy\tp50 us\tp99 us\tRSS MiB\t")
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%d\t%.0f\t%.1f\t%s\t%.0f\t%.0f\t%.1f\t\n", r.Case, r.Connections, r.RequestsPerSecond, r.CPU,
			r.share(), r.P50, r.P99, float64(r.RSS)/(1<<20))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, text := range b.leftOut {
		fmt.Println("left out:", text)
	}
	return nil
}

// compare sets the ratios of one round.
func compare(round []row) {
	for i := range round {
		yardstick := "reverseproxy"
		if strings.HasSuffix(round[i].Case, "-sse") {
			yardstick += "-sse"
		}
		for _, other := range round {
			if other.Case == yardstick && other.CPU > 0 && !strings.HasPrefix(round[i].Case, "direct") {
				round[i].ratio = round[i].CPU / other.CPU
			}
		}
	}
}

func (r row) share() string {
	if r.ratio == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", r.ratio)
}

// write keeps the rows as JSON lines.
func (b *bench) write(rows []row) error {
	if err := os.MkdirAll(filepath.Dir(b.plan.out), 0o755); err != nil {
		return err
	}
	file, err := os.Create(b.plan.out)
	if err != nil {
		return err
	}
	defer file.Close()
	encoder := json.NewEncoder(file)
	for _, r := range rows {
		if err := encoder.Encode(r); err != nil {
			return err
		}
	}
	if b.gate == nil {
		return nil
	}
	program, err := os.Stat(b.plan.gate)
	if err != nil {
		return err
	}
	start := startRow{Case: "gatehouse-start", ReadyMillis: float64(b.gate.ready.Microseconds()) / 1000, RSS: b.gate.memory, ProgramBytes: program.Size()}
	fmt.Printf("the gate: ready after %.0f ms, then %.1f MiB resident, program of %.1f MB\n",
		start.ReadyMillis, float64(start.RSS)/(1<<20), float64(start.ProgramBytes)/1e6)
	return encoder.Encode(start)
}
