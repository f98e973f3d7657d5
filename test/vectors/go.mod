// The vectors are large and only these tests want them: a module of its own keeps them out of the main one.
module github.com/mcp-gatehouse/gatehouse/test/vectors

go 1.26.8

require (
	github.com/c2sp/wycheproof v0.0.0-20260902155932-3fa63dd0344a
	github.com/mcp-gatehouse/gatehouse v0.0.0
)

require (
	github.com/MicahParks/jwkset v0.11.4 // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	golang.org/x/time v0.16.0 // indirect
)

replace github.com/mcp-gatehouse/gatehouse => ../..
