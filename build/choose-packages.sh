#!/usr/bin/env bash
# Finds which set of packages this machine can restore, says so in one line, and keeps it for Directory.Build.props until `make packages`.
set -uo pipefail
cd "$(dirname "$0")/.."

answer=artifacts/packages.props
[ -e "$answer" ] || [ -n "${WhipPackages:-}" ] && exit

said=$("${DOTNET_HOST_PATH:-dotnet}" restore build/Packages.proj -p:WhipPackages=full -p:RestoreNoHttpCache=true -nologo -tl:off -clp:ErrorsOnly 2>&1)
code=$?
errors=$(grep ': error' <<<"$said")
# The source answered, and has not this package or not this version.
lacking=$(grep -E ': error (NU1101|NU1102|NU1603): ' <<<"$errors")
if [ "$code" = 0 ]; then
  chosen=full why="every package restores"
elif [ -n "$lacking" ] && [ "$lacking" = "$errors" ]; then
  chosen=lite why=$(head -n 1 <<<"$lacking" | sed -E 's/.*: error (NU[0-9]+: )(Warning As Error: )?/\1/; s/ \[[^]]*\]$//')
else
  echo "$said"
  exit 1
fi

mkdir -p artifacts || exit
# In one step: another build may read it.
echo "<Project><PropertyGroup><WhipPackages>$chosen</WhipPackages></PropertyGroup></Project>" >"$answer.$$" && mv "$answer.$$" "$answer" || exit
echo "packages: $chosen: $why (kept in $answer; make packages looks again)"
