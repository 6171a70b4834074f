#!/usr/bin/env bash
# Runs every test and ends with one line: N passed, N failed, N skipped.
# Tools the tests use and the machine lacks are installed as root or under CI; else their tests are skipped and counted.
set -uo pipefail
cd "$(dirname "$0")"

missing=""
command -v node >/dev/null && command -v npm >/dev/null || missing="$missing nodejs npm"
command -v git >/dev/null || missing="$missing git"
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

build/choose-packages.sh || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
sets="lite full"
if [ "${WhipPackages:-$(dotnet msbuild build/Packages.proj -getProperty:WhipPackages)}" != full ]; then
  sets=lite
  echo "packages: only lite is tested"
fi

# All tests run in lite. In full those run again whose full name has one of these words: what differs between the sets, and what stands on it.
again="Whip.Tests.Hosting.Grpc Whip.Tests.Hosting.Metrics Whip.Tests.Protocol.Grpc Whip.Tests.Broker.Cluster Whip.Tests.Bench.ClusterTests Whip.Tests.Deploy.ImageTests
  Whip.Tests.Grains. RegistryTests ControlStreamTests BrokerMetricsTests OriginalAgentTests ProcessTests DemoTests DashboardTests"
declare -A filter=([lite]="FullyQualifiedName~." [full]="$(printf "FullyQualifiedName~%s|" $again)")

results=artifacts/test-results
rm -rf "$results"
count() { grep -ho "<Counters [^>]*>" "$results"/$2.trx 2>/dev/null | grep -o " $1=\"[0-9]*\"" | tr -dc '0-9\n' | awk '{ n += $1 } END { print n + 0 }'; }

broken=0 # Sets that do not build, and runners that broke: no test says so.
for set in $sets; do
  dotnet build Whip.Cluster.sln -c Release -p:WhipPackages=$set -v quiet -nologo -clp:NoSummary &&
    dotnet test Tests -c Release -p:WhipPackages=$set --no-build --nologo --filter "${filter[$set]%|}" --logger "trx;LogFileName=$set.trx" \
      --results-directory "$results" --blame-hang-timeout 12m -- RunConfiguration.TreatNoTestsAsError=true ||
    [ "$(count failed $set)" -gt 0 ] || broken=$((broken + 1))
done

# Once more at the end what failed in which set, for a log that keeps only its last lines.
for set in $sets; do
  awk -v set=$set '/<UnitTestResult .*outcome="Failed"/ { match($0, /testName="[^"]*/); print "failed in " set ": " substr($0, RSTART + 10, RLENGTH - 10); left = 12 }
    /<\/UnitTestResult>/ { left = 0 } left-- > 0 && !/<UnitTestResult |<Output>|<ErrorInfo>/ { gsub(/^ *<[^>]*>|<\/[^>]*>/, ""); print "  " $0 }' $results/$set.trx 2>/dev/null
done

passed=$(count passed '*')
failed=$(count failed '*')
skipped=$(( $(count total '*') - passed - failed ))
failed=$((failed + broken))
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
