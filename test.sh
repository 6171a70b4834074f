#!/usr/bin/env bash
# Runs every test and ends with one line: N passed, N failed, N skipped.
# Tools the tests use and the machine lacks are installed as root or under CI; else their tests are skipped and counted.
set -uo pipefail
cd "$(dirname "$0")"

missing=""
command -v node >/dev/null && command -v npm >/dev/null || missing="$missing nodejs npm"
command -v curl >/dev/null || missing="$missing curl"
command -v openssl >/dev/null || missing="$missing openssl"
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
dotnet build Whip.Cluster.sln -c Release -v quiet -nologo -clp:NoSummary || { echo "0 passed, 1 failed"; exit 1; }
dotnet test Tests -c Release --no-build --nologo --logger "trx;LogFileName=lite.trx" --results-directory "$results" --blame-hang-timeout 5m
code=$?

count() { grep -ho "<Counters [^>]*>" "$results"/*.trx | grep -o " $1=\"[0-9]*\"" | tr -dc '0-9\n' | awk '{ n += $1 } END { print n + 0 }'; }
passed=$(count passed)
failed=$(count failed)
skipped=$(( $(count total) - passed - failed ))
if [ "$code" -ne 0 ] && [ "$failed" -eq 0 ]; then
  failed=1 # The runner broke: no test says so.
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$code" -eq 0 ] && [ "$passed" -gt 0 ]
