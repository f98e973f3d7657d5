# help.awk prints a Makefile's targets: `##@ Group`, `target: ## What it does.`, `#? VARIABLE  what it means`.
BEGIN { print "usage: make TARGET [VARIABLE=VALUE...]" }
/^##@ / { printf "\n%s\n", substr($0, 5) }
/^#\? / { printf "  %s\n", substr($0, 4) }
/^[a-z0-9-]+:.*## / {
  target = $0; sub(/:.*/, "", target)
  text = $0; sub(/.*## /, "", text)
  printf "  %-14s %s\n", target, text
}
