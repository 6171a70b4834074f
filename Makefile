# Everything a contributor types. Plain `dotnet build` and `dotnet test` work too.
CONFIGURATION := Release
# Whip.Bench runs all programs, so its output holds them all, side by side.
OUTPUT = artifacts/programs
PROGRAMS := whip-broker whip-agent whip-proxy whip whip-bench

.PHONY: build binaries demo up up-cluster test lint bench beside chaos soak fuzz clean

build binaries:
	@dotnet publish Bench -c $(CONFIGURATION) --use-current-runtime --no-self-contained -o $(OUTPUT) -v quiet -nologo -clp:NoSummary
	@mkdir -p bin
	@for program in $(PROGRAMS); do ln -sfn ../$(OUTPUT)/$$program bin/$$program; done

demo: build
	@bin/whip-bench demo

up: build
	@bin/whip-bench up

up-cluster: build
	@bin/whip-bench up-cluster

test:
	@./test.sh

lint:
	@dotnet format Whip.Cluster.sln --verify-no-changes

bench: build
	@bin/whip-bench all

# Debian's haproxy; a machine without it is told how to get it.
beside: build
	@bin/whip-bench beside --readme README.md

chaos: build
	@bin/whip-bench beside chaos all --runs 20

soak: build
	@bin/whip-bench soak

fuzz: build
	@bin/whip-bench fuzz

clean:
	@rm -rf artifacts bin
