package diagnosis

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/internal/redact"
)

// Exit says how a container ended: its exit code, signal or out-of-memory kill, how often it was restarted, and its
// last words.
func Exit(container string, state corev1.ContainerStateTerminated, restarts int32) string {
	var how string
	switch {
	case state.Reason == "OOMKilled":
		how = "was killed because it used more memory than its limit (OOMKilled): raise resources.limits.memory"
	case state.Signal != 0:
		how = fmt.Sprintf("was ended by signal %d", state.Signal)
	case state.ExitCode > 128 && state.ExitCode < 160:
		how = fmt.Sprintf("exited with code %d (signal %d)", state.ExitCode, state.ExitCode-128)
	case state.ExitCode == 0:
		how = "exited with code 0, although a server must not end"
	default:
		how = fmt.Sprintf("exited with code %d", state.ExitCode)
	}
	message := fmt.Sprintf("container %s %s", container, how)
	if restarts > 0 {
		message += fmt.Sprintf(", after %s", times(restarts, "restart"))
	}
	if words := LastWords(state.Message); words != "" {
		message += fmt.Sprintf("; the container said: %s", words)
	}
	return message
}

// Waiting says why the kubelet does not start a container.
func Waiting(container string, state corev1.ContainerStateWaiting) string {
	message := fmt.Sprintf("container %s cannot start: %s", container, state.Reason)
	if text := strings.TrimSpace(redact.Cut(redact.Text(state.Message), maxLength)); text != "" {
		message += ": " + text
	}
	return message
}

func times(n int32, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Sentence ends text with a full stop: the messages of conditions are sentences, and much of what they quote is not.
func Sentence(text string) string {
	text = strings.TrimRight(text, " \n")
	if strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}
