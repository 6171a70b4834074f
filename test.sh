#!/usr/bin/env bash
# Runs every test and ends with one line: N passed, N failed, N skipped.
# Tools the tests use and the machine lacks are installed as root or under CI; else their tests are skipped and counted.
set -uo pipefail
cd "$(dirname "$0")"

export PATH="$PATH:/usr/sbin" # Where Debian has haproxy, nginx and squid, whoever runs them.
missing=""
command -v node >/dev/null && command -v npm >/dev/null || missing="$missing nodejs npm"
command -v git >/dev/null || missing="$missing git"
command -v curl >/dev/null || missing="$missing curl"
command -v openssl >/dev/null || missing="$missing openssl"
command -v haproxy >/dev/null || missing="$missing haproxy"
command -v nginx >/dev/null || missing="$missing nginx-light"
command -v squid >/dev/null || missing="$missing squid"
command -v tinyproxy >/dev/null || missing="$missing tinyproxy"
command -v docker-compose >/dev/null || missing="$missing docker-compose" # Reads docker-compose.yml; no engine runs.
# The tests start servers of their own; the one that the package may start is not used.
ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1 || command -v pg_ctl >/dev/null || missing="$missing postgresql"
if [ -n "$missing" ]; then
  if [ "$(id -u)" = 0 ] || [ "${CI:-}" = true ]; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
  else
    echo "some tests are skipped; to run them: sudo apt-get install -y$missing"
  fi
fi
[ "${CI:-}" = true ] && export WHIP_REQUIRE_TOOLS=1

results=artifacts/test-results
rm -rf "$results"
broken=0 # The solution does not build, or the runner broke: no test says so.
# Three tests at a time, for two cores: many wait for a process or a limit.
dotnet build Whip.Cluster.sln -c Release -v quiet -nologo -clp:NoSummary &&
  dotnet test Tests -c Release --no-build --nologo --logger "trx;LogFileName=tests.trx" --results-directory "$results" \
    --blame-hang-timeout 12m -- RunConfiguration.TreatNoTestsAsError=true xUnit.MaxParallelThreads=3 ||
  broken=1

count() { grep -o "<Counters [^>]*>" "$results/tests.trx" 2>/dev/null | grep -o " $1=\"[0-9]*\"" | tr -dc '0-9' || echo 0; }

# Once more at the end what failed, for a log that keeps only its last lines.
awk '/<UnitTestResult .*outcome="Failed"/ { match($0, /testName="[^"]*/); print "failed: " substr($0, RSTART + 10, RLENGTH - 10); left = 12 }
  /<\/UnitTestResult>/ { left = 0 } left-- > 0 && !/<UnitTestResult |<Output>|<ErrorInfo>/ { gsub(/^ *<[^>]*>|<\/[^>]*>/, ""); print "  " $0 }' "$results/tests.trx" 2>/dev/null

passed=$(count passed)
failed=$(count failed)
skipped=$(( $(count total) - passed - failed ))
[ "$failed" -gt 0 ] || failed=$broken
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
