#!/usr/bin/env bash
# fuzz.sh: runs each native fuzz target of this module for a while, tells for each how long it ran and how many inputs it
# tried, and closes with counts. A finding is left in the package's testdata/fuzz, where it is a test from then on. Logs
# are in out/fuzz.
#
#   FUZZTIME  how long each runs (default: 30s)     RUN  only targets whose name matches this pattern
#   FUZZPROCS how many inputs are tried at once (default: one per processor)
set -euo pipefail
cd "$(dirname "$0")/.."

out=$PWD/out/fuzz
rm -rf "$out"
mkdir -p "$out"

# Only packages that have targets are built.
mapfile -t packages < <(git ls-files --cached --others --exclude-standard -- '*_test.go' | xargs -d '\n' grep -l '^func Fuzz' | xargs -n 1 dirname | sort -u)

passed=0 failed=0
for package in "${packages[@]}"; do
  listed=$(go test -list "^Fuzz.*${RUN:-}" "./$package" | grep '^Fuzz' || true)
  for target in $listed; do
    log=$out/${package//\//-}-$target.log started=$SECONDS word=ok
    # While inputs are made smaller, no new ones are tried; one that has failed can be made smaller by hand.
    if ! go test "./$package" -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-30s}" -fuzzminimizetime 0x -parallel "${FUZZPROCS:-$(nproc)}" > "$log" 2>&1; then
      word=FAIL
    fi
    # The last progress line: fuzz: elapsed: 30s, execs: 123456 (...), new interesting: 7 (total: 70)
    execs=$(awk '/^fuzz: elapsed/ {n = $5} END {print n + 0}' "$log")
    if [ "$word" = ok ] && [ "$execs" -eq 0 ]; then word=FAIL; fi # It did not try anything.
    printf '%-5s %-28s %-24s %4d s %10d inputs\n' "$word" "$package" "$target" $((SECONDS - started)) "$execs"
    if [ "$word" = ok ]; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      tail -n 40 "$log" | sed 's/^/      /'
    fi
  done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
