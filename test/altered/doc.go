// Package altered makes programs that are wrong on purpose: the stories need a gate that can be opened, and operators
// that are mistaken. The alterations are laid over the sources when such a program is built (go build -overlay), so
// that what is shipped has no switch for any of it.
package altered
