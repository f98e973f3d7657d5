package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// The width of a dashboard is 24.
const (
	third = 8
	half  = 12
	full  = 24
)

// source is the Prometheus that the user selects at the top of the dashboard.
var source = common.DataSourceRef{Type: cog.ToPtr("prometheus"), Uid: cog.ToPtr("${datasource}")}

// query is an expression, and the name of each of its series in a legend or of its column in a table.
type query struct{ expr, legend string }

func (q query) over() *prometheus.DataqueryBuilder {
	return prometheus.NewDataqueryBuilder().Expr(q.expr).LegendFormat(q.legend).Range().Datasource(source)
}

func (q query) now() *prometheus.DataqueryBuilder {
	return prometheus.NewDataqueryBuilder().Expr(q.expr).LegendFormat(q.legend).Instant().Datasource(source)
}

// base returns an empty dashboard with the variable datasource.
func base(title, uid, description string) *dashboard.DashboardBuilder {
	return dashboard.NewDashboardBuilder(title).Uid(uid).Description(description).Tags([]string{"gatehouse"}).
		Readonly().Refresh("1m").Time("now-24h", "now").Timezone("browser").Tooltip(dashboard.DashboardCursorSyncCrosshair).
		WithVariable(dashboard.NewDatasourceVariableBuilder("datasource").Label("Data source").Type("prometheus"))
}

// choice returns a variable with the values of a label.
func choice(name, label, values string) *dashboard.QueryVariableBuilder {
	return dashboard.NewQueryVariableBuilder(name).Label(label).Datasource(source).Query(dashboard.StringOrMap{String: &values}).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).Sort(dashboard.VariableSortAlphabeticalAsc)
}

// number shows one value of now. It has the color of the last threshold that the value reaches.
func number(title, description, unit, expr string, steps ...dashboard.Threshold) *stat.PanelBuilder {
	return stat.NewPanelBuilder().Title(title).Description(description).Datasource(source).Unit(unit).NoValue("no data").
		Height(4).Span(4).GraphMode(common.BigValueGraphModeNone).ColorMode(common.BigValueColorModeBackground).
		Thresholds(dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(steps)).
		WithTarget(query{expr, title}.now().RefId("A"))
}

// plain is for a number that is neither good nor bad, and good and bad for one that is bad from a value on.
func plain() []dashboard.Threshold { return []dashboard.Threshold{{Color: "blue"}} }

func badFrom(value float64) []dashboard.Threshold {
	return []dashboard.Threshold{{Color: "green"}, {Value: cog.ToPtr(value), Color: "red"}}
}

func goodFrom(value float64) []dashboard.Threshold {
	return []dashboard.Threshold{{Color: "red"}, {Value: cog.ToPtr(value), Color: "green"}}
}

// graph shows series over time.
func graph(title, description, unit string, queries ...query) *timeseries.PanelBuilder {
	panel := timeseries.NewPanelBuilder().Title(title).Description(description).Datasource(source).Unit(unit).Min(0).
		Height(8).Span(third).FillOpacity(10).ShowPoints(common.VisibilityModeNever).
		Legend(common.NewVizLegendOptionsBuilder().DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom).ShowLegend(true)).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
	for i, q := range queries {
		panel.WithTarget(q.over().RefId(refID(i)))
	}
	return panel
}

// timeline shows conditions over time, a line for each series.
func timeline(title, description string, height uint32, queries ...query) *statetimeline.PanelBuilder {
	panel := statetimeline.NewPanelBuilder().Title(title).Description(description).Datasource(source).Unit("none").
		Height(height).Span(full).MergeValues(true).ShowValue(common.VisibilityModeAuto).RowHeight(0.8).
		Mappings(conditionValues()).ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdThresholds)).
		Thresholds(dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(plain()))
	for i, q := range queries {
		panel.WithTarget(q.over().RefId(refID(i)))
	}
	return panel
}

// conditionValues names the values of a condition's metric.
func conditionValues() []dashboard.ValueMapping {
	result := func(text, color string) dashboard.ValueMappingResult {
		return dashboard.ValueMappingResult{Text: &text, Color: &color}
	}
	return []dashboard.ValueMapping{{ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: map[string]dashboard.ValueMappingResult{
		"1": result("True", "green"), "0": result("False", "red"), "-1": result("Unknown", "orange"),
	}}}}
}

// grid shows the values of now: a row for each set of labels, a column for each query, called by its legend.
func grid(title, description string, queries ...query) *table.PanelBuilder {
	names := map[string]any{}
	panel := table.NewPanelBuilder().Title(title).Description(description).Datasource(source).Unit("none").Height(9).Span(full).
		Filterable(true)
	for i, q := range queries {
		panel.WithTarget(q.now().RefId(refID(i)).Format(prometheus.PromQueryFormatTable))
		names["Value #"+refID(i)] = q.legend
	}
	// With one query, Grafana calls the column Value.
	if len(queries) == 1 {
		names = map[string]any{"Value": queries[0].legend}
	}
	return panel.
		WithTransformation(dashboard.DataTransformerConfig{Id: "merge", Options: map[string]any{}}).
		WithTransformation(dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{
			"excludeByName": map[string]any{"Time": true}, "renameByName": names, "indexByName": map[string]any{"namespace": 0, "server": 1},
		}}).
		OverrideByName("server", []dashboard.DynamicConfigValue{{Id: "links", Value: []map[string]any{{
			"title": "This server", "url": "/d/" + serverUID + "?var-datasource=${datasource}&var-namespace=${__data.fields.namespace}&var-name=${__value.raw}",
		}}}})
}

// asCondition makes a column of a table show the names of a condition's values.
func asCondition(panel *table.PanelBuilder, column string) *table.PanelBuilder {
	return panel.OverrideByName(column, []dashboard.DynamicConfigValue{
		{Id: "mappings", Value: conditionValues()},
		{Id: "custom.cellOptions", Value: map[string]any{"type": "color-text"}},
	})
}

// inUnit gives a column of a table a unit.
func inUnit(panel *table.PanelBuilder, column, unit string) *table.PanelBuilder {
	return panel.OverrideByName(column, []dashboard.DynamicConfigValue{{Id: "unit", Value: unit}})
}

func refID(i int) string { return string(rune('A' + i)) }

func row(title string) *dashboard.RowBuilder { return dashboard.NewRowBuilder(title) }
