SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

NAME ?= dev
ONCE ?=
FILES ?= src/domain/**/*.ts
SECONDS ?= 60
VERSION ?= 0.1.0
REVISION ?= $(shell git rev-parse HEAD 2> /dev/null || echo unknown)
IMAGE ?= ghcr.io/larder-dev/larder:$(VERSION)
PLATFORMS ?= linux/amd64
BUILD_IMAGE ?= node:24-bookworm-slim
BASE_IMAGE ?= gcr.io/distroless/nodejs24-debian12:nonroot
PUSH ?=

##@ Start here

.PHONY: help
help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  \033[36m%-15s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Run the main job on a real API server and show it; stays up until Ctrl-C (ONCE=1: exits after the show)
	@ONCE=$(ONCE) node hack/demo/demo.ts

.PHONY: test
test: install cluster-build node-build browser-build lint-build verify build ## Run verify and every test; the same command CI runs
	@vitest run

.PHONY: test-node
test-node: install cluster-build node-build build ## Run the tests on a real node: containerd and kubelet (needs root)
	@vitest run --project node

##@ Develop

.PHONY: install
install: ## Install the npm packages if the lock has changed since the last time
	@flock .npm.lock hack/install.sh

.PHONY: build
build: install ## Bundle the operator to dist/larder.js
	@node hack/build.ts

.PHONY: generate
generate: install ## Write crds/ and the generated parts of docs/ from src/api
	@node hack/generate.ts

.PHONY: format
format: install ## Format and sort imports
	@biome check --write

.PHONY: verify
verify: install ## Check format, lint and types, and that generated files are fresh
	@echo 'verify: format'; biome ci --error-on-warnings --colors=off > /dev/null || biome ci --error-on-warnings
	@echo 'verify: types'; tsc -p .
	@echo 'verify: lint'; eslint . --max-warnings 0
	@echo 'verify: generated files'; hack/verify-generated.sh

.PHONY: run
run: build ## Run the operator from this checkout against the cluster of your KUBECONFIG
	@node dist/larder.js run

.PHONY: api-docs
api-docs: install ## Write the reference of everything exported, for contributors, to reports/api
	@typedoc --logLevel Warn
	@echo 'reports/api/index.html'

##@ Release

.PHONY: image
image: ## Build the image with Docker's buildx (IMAGE, PLATFORMS, BASE_IMAGE; PUSH=1: push it with SBOM and provenance)
	@mkdir -p dist
	docker buildx build --platform $(PLATFORMS) --tag $(IMAGE) --metadata-file dist/image.json \
	  --build-arg BUILD_IMAGE=$(BUILD_IMAGE) --build-arg BASE_IMAGE=$(BASE_IMAGE) \
	  --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) \
	  $(if $(PUSH),--push --provenance=mode=max --sbom=true,--load) .

.PHONY: release-files
release-files: install ## Write dist/release: manifests with IMAGE, the changes of VERSION, SBOM and licences
	@hack/release-files.sh $(VERSION) $(IMAGE)

##@ Development cluster

.PHONY: cluster-build
cluster-build: install ## Fetch or build etcd, API server, KWOK, registry (cold: about 10 minutes, once)
	@node hack/dev-cluster/main.ts build

.PHONY: node-build
node-build: install ## As root: install containerd and runc, build the kubelet; otherwise nothing
	@hack/dev-cluster/install-node-packages.sh
	@if [ "$$(id -u)" = 0 ]; then node hack/dev-cluster/real-node-prepare.ts; fi

.PHONY: lint-build
lint-build: ## Build the linters of workflows and manifests (about a minute, once)
	@hack/lint/build.sh > /dev/null

.PHONY: rules-test
rules-test: install ## Check the alerting rules with promtool and play their tests (builds promtool once, two minutes)
	@node hack/prometheus/test-rules.ts "$$(hack/prometheus/build.sh)"

.PHONY: browser-build
browser-build: ## As root: install Chromium for the browser tests; otherwise nothing
	@hack/install-browser.sh

.PHONY: cluster-up
cluster-up: install ## Start a cluster with 5 simulated nodes and a registry (NAME=dev)
	@node hack/dev-cluster/main.ts up $(NAME)

.PHONY: cluster-down
cluster-down: install ## Stop it and remove its state (NAME=dev)
	@node hack/dev-cluster/main.ts down $(NAME)

##@ Longer checks

.PHONY: bench
bench: build ## Measure: pure core, registry client, controller runtime (a few minutes; figures in docs/design)
	@node hack/bench/domain.ts
	@node --expose-gc hack/bench/stock.ts
	@node hack/bench/registry.ts
	@node hack/bench/kube.ts
	@node hack/bench/http.ts

.PHONY: fuzz
fuzz: install ## Fuzz the records API and the reading routes with schemathesis (SECONDS=60 each; fetched from PyPI once)
	@node hack/fuzz/records.ts $(SECONDS)
	@node hack/fuzz/reading.ts $(SECONDS)

.PHONY: mutation
mutation: install ## Mutation score of part of the pure core (FILES='src/domain/range/*.ts'), under 85 % fails; slow
	@stryker run --concurrency 1 --mutate '$(FILES)'

.PHONY: coverage
coverage: install ## Statement coverage of the unit tests
	@vitest run --project unit --coverage
