package diagnosis

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

var (
	// thrown is the line of a stack trace, or of a program's own words in that form.
	thrown = regexp.MustCompile(`^(Exception in thread "[^"]*" )?([A-Za-z_$][\w.$]*\.)?[A-Z]\w*(Error|Exception|Exit|Interrupt|Failure|Fault|Group)\b( \[\w+\])?(:|$)`)
	behind = regexp.MustCompile(`^(Caused by: |\[cause\]: )`)
	ended  = regexp.MustCompile(`^(panic: |fatal error: |Fatal Python error: |thread '.*' panicked at )`)
	// leading is a level at the beginning of a line, as loggers write it; inside is one further on, between separators.
	leading = regexp.MustCompile(`(?i)^\W*(level=)?(trace|debug|info|notice|warn|warning|error|err|critical|crit|fatal|severe|panic|alert|emerg)\b\W`)
	inside  = regexp.MustCompile(`[\[|\s](TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|SEVERE)[\]|\s:]`)
	logfmt  = regexp.MustCompile(`\b(level|msg|message|err|error|cause)=("(?:[^"\\]|\\.)*"|\S+)`)
)

// leveled judges one statement by how it begins.
func leveled(text string) statement {
	s := statement{text: text}
	switch {
	case behind.MatchString(text):
		s.kind = cause
	case ended.MatchString(text):
		s.kind = crash
	case thrown.MatchString(text):
		s.kind = exception
	}
	if found := logfmt.FindAllStringSubmatch(text, -1); strings.HasPrefix(text, "level=") && len(found) > 1 {
		fields := map[string]any{}
		for _, f := range found {
			fields[f[1]] = strings.Trim(f[2], `"`)
		}
		return entry(fields)
	}
	if level := leading.FindStringSubmatch(text); level != nil {
		s.level = strings.ToLower(level[2])
	} else if level := inside.FindStringSubmatch(text[:min(len(text), 80)]); level != nil {
		s.level = strings.ToLower(level[1])
	}
	return s
}

// jsonEntry reads an entry of a log in JSON.
func (r *reader) jsonEntry(here line) (statement, bool) {
	var fields map[string]any
	if !strings.HasPrefix(here.text, "{") || json.Unmarshal([]byte(here.text), &fields) != nil {
		return statement{}, false
	}
	s := entry(fields)
	return s, s.text != ""
}

// entry joins the message of an entry and the error that it names.
func entry(fields map[string]any) statement {
	text := func(names ...string) string {
		for _, name := range names {
			value := fields[name]
			if object, ok := value.(map[string]any); ok { // an error with its stack
				value = object["message"]
			}
			if value, ok := value.(string); ok && value != "" {
				return value
			}
		}
		return ""
	}
	message, fault := text("msg", "message", "event"), text("err", "error", "cause", "exception", "reason")
	switch {
	case message == "":
		message = fault
	case fault != "" && !strings.Contains(message, fault):
		message += ": " + fault
	}
	return statement{text: message, level: strings.ToLower(text("level", "severity", "lvl", "levelname"))}
}

// zodErrors reads the list of issues that Zod throws.
func (r *reader) zodErrors(here line) (statement, bool) {
	head, found := strings.CutSuffix(here.text, "[")
	if !found || !strings.Contains(head, "Error: ") {
		return statement{}, false
	}
	var text strings.Builder
	text.WriteString("[")
	for i := r.at; i < len(r.lines); i++ {
		text.WriteString(r.lines[i].text + "\n")
		if r.lines[i].text != "]" {
			continue
		}
		var issues []struct {
			Path    []any
			Message string
		}
		if json.Unmarshal([]byte(text.String()), &issues) != nil {
			break
		}
		r.at = i + 1
		var all []string
		for _, issue := range issues {
			path := strings.Trim(strings.ReplaceAll(fmt.Sprint(issue.Path), " ", "."), "[]")
			all = append(all, path+": "+issue.Message)
		}
		return statement{text: head + strings.Join(all, "; "), kind: exception}, true
	}
	return statement{}, false
}

var (
	validation = regexp.MustCompile(`\bvalidation errors? for \S+$`)
	location   = regexp.MustCompile(`^[\w.\[\]-]+$`)
	// details name the input, which may be a secret.
	details = regexp.MustCompile(` \[type=.*`)
)

// pydanticErrors reads the fields below a ValidationError, also where its own line is cut off.
func (r *reader) pydanticErrors(here line) (statement, bool) {
	at, head := r.at, ""
	if validation.MatchString(here.text) {
		head = here.text[strings.LastIndex(here.text, ".")+1:] + ": "
	} else {
		at--
	}
	var all []string
	for at+1 < len(r.lines) {
		field, fault := r.lines[at], r.lines[at+1]
		if !location.MatchString(field.text) || fault.indent == 0 || !details.MatchString(fault.text) {
			break
		}
		all = append(all, field.text+": "+details.ReplaceAllString(fault.text, ""))
		at += 2
		for at < len(r.lines) && r.lines[at].indent > field.indent+2 {
			at++
		}
	}
	if len(all) == 0 {
		return statement{}, false
	}
	r.at = at
	return statement{text: head + strings.Join(all, "; "), kind: exception}, true
}
