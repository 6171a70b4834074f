# Everything a contributor types. Plain `dotnet build` and `dotnet test` work too.
CONFIGURATION := Release
ARTIFACTS := artifacts/lite/bin
PROGRAMS := whip-broker:Whip.Broker whip-agent:Whip.Agent whip-proxy:Whip.Proxy whip:Whip.Cli whip-bench:Whip.Bench

.PHONY: build binaries demo up test lint bench clean

build binaries:
	@dotnet build Whip.Cluster.sln -c $(CONFIGURATION) -v quiet -nologo -clp:NoSummary
	@mkdir -p bin
	@for pair in $(PROGRAMS); do \
		ln -sfn ../$(ARTIFACTS)/$${pair#*:}/release/$${pair%%:*} bin/$${pair%%:*}; \
	done

demo: build
	@bin/whip-bench demo

up: build
	@bin/whip-bench up

test:
	@./test.sh

lint:
	@dotnet format Whip.Cluster.sln --verify-no-changes

bench: build
	@bin/whip-bench all

clean:
	@rm -rf artifacts bin
