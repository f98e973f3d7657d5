package gate

import "github.com/mcp-gatehouse/gatehouse/internal/gate/source/snapshot"

// changed is called with each new snapshot.
func (g *Gate) changed(current *snapshot.Snapshot) {
	g.remote.Follow(current.Config.Providers)
	g.setLogLevel(current.Config.LogLevel)
}

// setLogLevel follows the configuration; where that says nothing, the level is what it was at the start.
func (g *Gate) setLogLevel(name string) {
	if g.options.LogLevel == nil {
		return
	}
	level := g.startLevel
	if name != "" && level.UnmarshalText([]byte(name)) != nil {
		return // ParseConfig lets no such name pass
	}
	g.options.LogLevel.Set(level)
}

// rememberLogLevel keeps the level at the start.
func (g *Gate) rememberLogLevel() {
	if g.options.LogLevel != nil {
		g.startLevel = g.options.LogLevel.Level()
	}
}
