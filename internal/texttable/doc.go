// Package texttable sets text for a terminal: rows in columns, and long text in lines. It must not know what it sets.
package texttable
