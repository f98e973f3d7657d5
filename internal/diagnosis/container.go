package diagnosis

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/internal/mask"
)

// Start is what the kubelet asks of a container before it counts as started. The zero value: nothing.
type Start struct {
	// Limit is how long the startup probe waits.
	Limit time.Duration
	// Wants is what the probe wants to be true, such as "the server listens on 127.0.0.1:8000".
	Wants string
	// Advice is what to do if it never is, as a sentence.
	Advice string
}

// Exit says how a container ended: its exit code, signal or out-of-memory kill, how often it was restarted, its last
// words, and where the end itself says what to do, that.
func Exit(container string, state corev1.ContainerStateTerminated, restarts int32, start Start) string {
	how, advice := ending(state, start)
	message := fmt.Sprintf("container %s %s", container, how)
	if restarts > 0 {
		message += fmt.Sprintf(", after %s", times(restarts, "restart"))
	}
	if words := LastWords(state.Message); words != "" {
		message += fmt.Sprintf("; the container said: %s", words)
	}
	if advice != "" {
		message = Sentence(message) + " " + advice
	}
	return message
}

// signals are those that end programs, by number.
var signals = map[int32]string{1: "SIGHUP", 2: "SIGINT", 4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV", 15: "SIGTERM"}

const (
	sigkill, sigterm = 9, 15
	// signalBase is what shells and container runtimes add to a signal to make an exit code of it.
	signalBase, maxSignal = 128, 31
)

func ending(state corev1.ContainerStateTerminated, start Start) (how, advice string) {
	signal := signalOf(state)
	switch {
	case state.Reason == "OOMKilled":
		return "was killed because it used more memory than its limit (OOMKilled)", "Raise resources.limits.memory."
	case state.Reason == "StartError" || state.Reason == "ContainerCannotRun":
		return "could not be started", cannotRun(state.Message)
	case signal == sigkill || signal == sigterm:
		return killed(signal, state, start)
	case signal != 0:
		return fmt.Sprintf("was ended by signal %d%s", signal, namedSignal(signal)), ""
	case state.ExitCode == 0:
		return "exited with code 0, as if its work was done",
			"A server that speaks MCP over stdio ends like that, because nothing writes to its standard input: have it serve HTTP, with args or env."
	case state.ExitCode == 126 || state.ExitCode == 127:
		return fmt.Sprintf("exited with code %d, which says that a command cannot be run", state.ExitCode), cannotRun(state.Message)
	default:
		return fmt.Sprintf("exited with code %d", state.ExitCode), ""
	}
}

// signalOf is the signal that ended a container; 0 if none did.
func signalOf(state corev1.ContainerStateTerminated) int32 {
	if state.Signal == 0 && state.ExitCode > signalBase && state.ExitCode <= signalBase+maxSignal {
		return state.ExitCode - signalBase
	}
	return state.Signal
}

func namedSignal(signal int32) string {
	if name := signals[signal]; name != "" {
		return " (" + name + ")"
	}
	return ""
}

// killed tells an end that came when the startup probe gives up from others. Servers catch SIGTERM, and end with 143 or 0.
func killed(signal int32, state corev1.ContainerStateTerminated, start Start) (how, advice string) {
	const grace = time.Minute // for the kubelet to act, and for the container to end
	how = fmt.Sprintf("was ended by signal %d%s", signal, namedSignal(signal))
	ran := state.FinishedAt.Sub(state.StartedAt.Time)
	if start.Limit == 0 || ran < start.Limit-5*time.Second || ran > start.Limit+grace {
		return how, ""
	}
	return how + fmt.Sprintf(" %s after its start, which is when the kubelet gives up: its startup probe waits %s until %s",
		ran.Round(time.Second), start.Limit, start.Wants), start.Advice
}

// cannotRun says what to do about a command that the container's runtime or shell does not run.
func cannotRun(said string) string {
	switch text := strings.ToLower(said); {
	case strings.Contains(text, "exec format error"):
		return "The image is for another architecture than the node's, or its entrypoint is a script without a first line such as #!/bin/sh."
	case strings.Contains(text, "permission denied"):
		return "The file is not executable for the user that the container runs as."
	default:
		return "Check command: it must name a program that the image has."
	}
}

// rootImage and namedUser are what the kubelet says of an image that it cannot be sure not to run as root.
var (
	rootImage = regexp.MustCompile(`container has runAsNonRoot and image will run as root`)
	namedUser = regexp.MustCompile(`container has runAsNonRoot and image has non-numeric user \(([^)]*)\)`)
)

// Waiting says why the kubelet does not start a container, and where its words do not say so, what to do.
func Waiting(container string, state corev1.ContainerStateWaiting) string {
	message := fmt.Sprintf("container %s cannot start: %s", container, state.Reason)
	if text := strings.TrimSpace(mask.Cut(mask.Text(state.Message), maxPullLength)); text != "" {
		message += ": " + text
	}
	if user := namedUser.FindStringSubmatch(state.Message); user != nil {
		return Sentence(message) + fmt.Sprintf(" The image names its user %s, and the kubelet needs a number to see that it is not root: "+
			"set pod.securityContext.runAsUser to the number of that user (docker run --rm --entrypoint id IMAGE -u).", user[1])
	}
	if rootImage.MatchString(state.Message) {
		return Sentence(message) + " The image runs as root: set pod.securityContext.runAsUser to a number other than 0, of a user that can read what the image needs."
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

// EndOf is how a container ended that does not run well since; nil if it does.
func EndOf(status corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	if status.State.Terminated == nil && !status.Ready {
		return status.LastTerminationState.Terminated
	}
	return status.State.Terminated
}
