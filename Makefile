# Gatehouse. `make` lists the targets. What takes more than a few lines is a script in hack/.

MAKEFLAGS += --no-print-directory
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Targets share the build cache and the cluster; what can run at once does so inside the scripts.
.NOTPARALLEL:

ifndef HOME
export HOME := $(shell getent passwd "$$(id -u)" | cut -d: -f6)
endif

# One set of flags for all builds and tests: what they have in common is compiled once.
export CGO_ENABLED ?= 0
export GOFLAGS := $(GOFLAGS) -trimpath -buildvcs=false

##@ Look and try
.PHONY: help demo demo-down
help: ## Show this list.
	@awk -f hack/help.awk $(firstword $(MAKEFILE_LIST))

demo: ## From nothing to a running operator with a healthy and a broken server behind their gates.
	@hack/demo/demo.sh

demo-down: ## Remove all that `make demo` made.
	@hack/demo/down.sh

##@ Develop
.PHONY: build generate fmt vet lint verify
build: ## Build the programs into bin/.
	@mkdir -p bin
	go build -ldflags "-X main.version=$$(hack/version.sh)" -o bin/ ./cmd/...
	@for name in kubectl-gatehouse kubectl_complete-gatehouse; do ln -sf gatehouse bin/$$name; done

generate: ## Write what follows from the Go types: deep copies, CRD, role, apply configurations, API reference.
	@hack/generate.sh

fmt: ## Format the Go files.
	@hack/tools/run golangci-lint fmt

vet: ## Run go vet, on the tests behind build tags, too.
	go vet -tags alerts,e2e,conformance,soak,mutation,scale ./...
	go -C test/providers vet -tags providers ./...

lint: ## Run the linters (.golangci.yml), and those for API types on api/ (.golangci-kal.yml).
	hack/tools/run golangci-lint run
	hack/tools/run golangci-lint run --config .golangci-kal.yml ./api/...
	cd test/everything && ../../hack/tools/run golangci-lint run
	cd test/providers && ../../hack/tools/run golangci-lint run --build-tags providers
	cd hack/release && ../tools/run golangci-lint run

verify: ## Check that generated files, modules, imports, names, manifests, scripts and workflows are as they should be.
	@hack/verify.sh

##@ Test
.PHONY: test test-race test-vectors test-chart test-alerts test-fixtures test-providers test-e2e test-upgrade mutation conformance soak scale fuzz bench test-all
test: ## Run unit, golden and API-server tests; close with their counts. PKG and RUN narrow it down.
	@hack/test.sh

test-race: export CGO_ENABLED = 1
test-race: export PKG = ./internal/gate/... ./internal/gateapi/... ./internal/keys/... ./internal/probe/... ./internal/token/...
test-race: ## Run the tests of the concurrent packages under the race detector (needs a C compiler).
	@hack/test.sh -race

test-vectors: export MODULE = test/vectors
test-vectors: ## Hold the keys against the JOSE vectors of Project Wycheproof (a module of its own, 26 MB to download).
	@hack/test.sh

test-chart: export MODULE = test/chart
test-chart: ## Render the Helm chart, hold it against the manifests, and put it before an API server (a module of its own).
	@hack/test.sh

test-alerts: ## Try every alert in every situation on promtool (Debian: package prometheus).
	@hack/alerts.sh

test-fixtures: export MODULE = test/providers
test-fixtures: ## Hold the pages of docs/providers against the gate: tokens of each provider's form, and near misses (a module of its own).
	@hack/test.sh

test-providers: ## Run Keycloak, Ory Hydra and SPIRE before a gate, and replace their keys under load. RUN=Hydra selects.
	@hack/providers.sh

test-e2e: ## Run the end-to-end tests on real pods. LABEL=ci selects; KUBECONFIG uses a cluster of your own.
	@hack/e2e.sh

test-upgrade: export LABEL = upgrade
test-upgrade: ## Upgrade the operator under load and take it back, on real pods. `make test-e2e` does it, too.
	@hack/e2e.sh

mutation: ## Put gates with one check taken out to the prober: it must find each, and name it.
	@hack/mutation.sh

conformance: ## Hold the gate against the MCP conformance suite, the SDKs' clients and the MCP Inspector.
	@hack/conformance.sh

soak: ## Keep gates under load, then tell the long stories of real pods (label soak). SOAK_SECONDS makes it short.
	@hack/soak.sh

scale: ## Measure what fleets of 1,000 and 5,000 MCPServers cost the operator. SCALE_SERVERS and SCALE_STEADY make it short.
	@hack/scale.sh

fuzz: ## Run every fuzz target for FUZZTIME; close with counts.
	@hack/fuzz.sh

bench: ## Measure what the gate costs beside a bare reverse proxy and HAProxy. BENCH gives flags, such as -rounds 1.
	@hack/bench.sh $(BENCH)

test-all: export PROPERTY_SECONDS ?= 180
test-all: verify lint test test-race test-vectors test-chart test-alerts test-fixtures test-providers mutation test-e2e conformance soak scale fuzz bench ## Run everything, by hand.

##@ Release
.PHONY: release test-release publish
release: ## Build a release into out/release: VERSION=v0.2.0; SIGN=key signs it.
	@hack/release/release.sh

test-release: ## Build a release twice, in two folders: equal digests. Install it from a registry: make test-e2e LABEL=release.
	@hack/release/twice.sh

publish: ## Push the images and the chart of out/release to the registry that it names, or to REGISTRY.
	@hack/release/publish.sh out/release

##@ Images and cluster
.PHONY: images docker-build cluster-up cluster-down deploy undeploy clean
images: ## Build the images as archives in out/images, without a container engine.
	@hack/images.sh

docker-build: ## Build the images with Docker, named by IMG and AUTHPROXY_IMG.
	docker build --target operator --build-arg VERSION="$$(hack/version.sh)" -t "$${IMG:?name the image}" .
	docker build --target authproxy --build-arg VERSION="$$(hack/version.sh)" -t "$${AUTHPROXY_IMG:?name the image}" .

cluster-up: ## Start a Kubernetes of one node on this machine (needs root).
	@hack/cluster/up

cluster-down: ## Stop it and remove what it left.
	@hack/cluster/down

deploy: ## Install the operator into the cluster and wait until it runs.
	@hack/deploy.sh

undeploy: ## Remove the operator. MCPServers, their pods and their keys stay; PURGE=1 removes them and the CRD, too.
	@hack/deploy.sh $(if $(PURGE),--purge,--delete)

clean: ## Remove what was built here. Tools and Kubernetes stay in the cache.
	rm -rf bin out

##@ Variables
#? KUBECONFIG          a cluster to use instead of the local one (test-e2e, deploy, undeploy)
#? IMG                 the operator's image (deploy, docker-build; default: what `make images` built last)
#? AUTHPROXY_IMG       the gate's image (likewise)
#? CONFIG              the kustomization to install (deploy; default: config/default)
#? MCPFAKE_IMG         the fake server's image (test-e2e with KUBECONFIG)
#? EVERYTHING_IMG      the MCP Go SDK's everything-server (likewise)
#? LOADCLIENT_IMG      the client inside the cluster (likewise)
#? NPM_IMG             the everything-server from npm (likewise; not needed with LABEL='!npm')
#? PROMETHEUS_IMG      a Prometheus (likewise; not needed with LABEL='!alerts')
#? QUILT_IMG           quilt-mcp-server (likewise; not needed with LABEL='!quilt')
#? LABEL               specs to run, a Ginkgo label filter such as ci (test-e2e)
#? BENCH               flags of test/bench (bench)
#? PKG, RUN            packages, and a pattern of test names (test; test-alerts, mutation, conformance, soak and fuzz have RUN only)
#? PROPERTY_SECONDS    how long random specs are tried (test; default: 20, in test-all: 180); PROPERTY_SEED repeats a run
#? ROUNDS              how often each suite runs, without and with the gate (conformance; default: 5)
#? SOAK_SECONDS        how long each kind of load lasts (soak; default: from 30 to 1800, as each needs)
#? SOAK_CONNECTIONS    how many connections are left idle (soak; default: 10000)
#? SCALE_SERVERS       how many MCPServers each fleet has (scale; default: 1000,5000)
#? SCALE_STEADY        how long each is watched once it is Ready (scale; default: 10m)
#? SCALE_QPS           the operator's --probe-qps (scale; default: the operator's)
#? VERSION             the release's tag, such as v0.2.0 (release; test-release has a default)
#? REGISTRY            where a release's images and chart are (release, publish; default: that of the project)
#? SIGN                key or keyless: sign a release (release, publish; default: not at all)
#? FUZZTIME            how long each target runs (fuzz; default: 30s)
#? FUZZPROCS           how many inputs are tried at once (fuzz; default: one per processor)
#? TAG                 the tag of the images that `make images` builds (default: hack/version.sh)
#? KUBEBUILDER_ASSETS  folder with etcd and kube-apiserver (test; default: built once from Go modules)
#? GATEHOUSE_CACHE     where built tools and Kubernetes are kept (default: ~/.cache/gatehouse)
