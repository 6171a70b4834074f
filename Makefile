# Everything a contributor types. Plain `dotnet build` and `dotnet test` work too.
CONFIGURATION := Release
# The set of packages: as in `make build WhipPackages=lite`, else what this machine can restore.
SET = $(or $(WhipPackages),$(shell dotnet msbuild build/Packages.proj -getProperty:WhipPackages))
# Whip.Bench runs all programs, so its output holds them all, side by side.
OUTPUT = artifacts/$(SET)/bin/Whip.Bench/release
PROGRAMS := whip-broker whip-agent whip-proxy whip whip-bench

.PHONY: build binaries packages choose demo up up-cluster test lint bench chaos soak clean

build binaries: choose
	@dotnet build Whip.Cluster.sln -c $(CONFIGURATION) -v quiet -nologo -clp:NoSummary
	@mkdir -p bin
	@for program in $(PROGRAMS); do ln -sfn ../$(OUTPUT)/$$program bin/$$program; done

packages:
	@rm -f artifacts/packages.props
	@build/choose-packages.sh

choose:
	@build/choose-packages.sh

demo: build
	@bin/whip-bench demo

up: build
	@bin/whip-bench up

up-cluster: build
	@bin/whip-bench up-cluster

test:
	@./test.sh

lint: choose
	@for set in lite $(filter full,$(SET)); do WhipPackages=$$set dotnet format Whip.Cluster.sln --verify-no-changes || exit; done

bench: build
	@bin/whip-bench all

chaos: build
	@bin/whip-bench chaos all --runs 20

soak: build
	@bin/whip-bench soak

clean:
	@rm -rf artifacts bin
