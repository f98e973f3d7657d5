package names

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// shadows tells each local name in the files of a package that is also the name of something of the package, or of an
// import of its file, with what to do.
func shadows(positions *token.FileSet, files []*ast.File) []string {
	ofPackage := map[string]declared{}
	for _, file := range files {
		for _, declaration := range file.Decls {
			declare(ofPackage, declaration)
		}
	}
	var found []string
	for _, file := range files {
		imported := imports(file)
		for _, local := range locals(file) {
			place := positions.Position(local.Pos())
			if importPath, isImport := imported[local.Name]; isImport {
				found = append(found, fmt.Sprintf("%s:%d: %s shadows the import of %s: rename the local one",
					place.Filename, place.Line, local.Name, importPath))
			} else if other, isOther := ofPackage[local.Name]; isOther {
				found = append(found, fmt.Sprintf("%s:%d: %s shadows the %s %s of %s: rename one of them",
					place.Filename, place.Line, local.Name, other.kind, local.Name, where(positions.Position(other.name.Pos()), place)))
			}
		}
	}
	return found
}

// where tells a position as seen from another of the same package.
func where(there, here token.Position) string {
	if there.Filename == here.Filename {
		return fmt.Sprintf("line %d", there.Line)
	}
	return fmt.Sprintf("%s:%d", filepath.Base(there.Filename), there.Line)
}

// declared is a name of the package.
type declared struct {
	kind string
	name *ast.Ident
}

func declare(names map[string]declared, declaration ast.Decl) {
	switch declaration := declaration.(type) {
	case *ast.FuncDecl:
		if declaration.Recv == nil {
			names[declaration.Name.Name] = declared{"function", declaration.Name}
		}
	case *ast.GenDecl:
		for _, spec := range declaration.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				names[spec.Name.Name] = declared{"type", spec.Name}
			case *ast.ValueSpec:
				kind := "variable"
				if declaration.Tok == token.CONST {
					kind = "constant"
				}
				for _, name := range spec.Names {
					names[name.Name] = declared{kind, name}
				}
			}
		}
	}
}

var (
	version      = regexp.MustCompile(`^v\d+$`)
	versionInEnd = regexp.MustCompile(`\.v\d+$`)
)

// imports lists the paths that a file imports by the names of their packages. Nothing is compiled: a package without a name
// of its own in the file has the last element of its path that is not a version, without ".v3" or "-go" behind it.
func imports(file *ast.File) map[string]string {
	paths := map[string]string{}
	for _, spec := range file.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has refused it
		}
		name := path.Base(importPath)
		if version.MatchString(name) {
			name = path.Base(path.Dir(importPath))
		}
		name = strings.TrimSuffix(versionInEnd.ReplaceAllString(name, ""), "-go")
		if spec.Name != nil {
			name = spec.Name.Name
		}
		paths[name] = importPath
	}
	return paths
}

// locals lists the names that a file declares inside of something: variables, constants and types of functions, and their
// receivers, parameters and results.
func locals(file *ast.File) []*ast.Ident {
	var names []*ast.Ident
	add := func(expressions ...ast.Expr) {
		for _, expression := range expressions {
			if name, isName := expression.(*ast.Ident); isName && name.Name != "_" {
				names = append(names, name)
			}
		}
	}
	addFields := func(lists ...*ast.FieldList) {
		for _, list := range lists {
			if list == nil {
				continue
			}
			for _, field := range list.List {
				for _, name := range field.Names {
					add(name)
				}
			}
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncDecl:
			addFields(node.Recv)
		case *ast.FuncType:
			addFields(node.Params, node.Results)
		case *ast.AssignStmt:
			if node.Tok == token.DEFINE {
				add(node.Lhs...)
			}
		case *ast.RangeStmt:
			if node.Tok == token.DEFINE {
				add(node.Key, node.Value)
			}
		case *ast.DeclStmt:
			inside := map[string]declared{}
			declare(inside, node.Decl)
			for _, d := range inside {
				add(d.name)
			}
		}
		return true
	})
	return names
}
