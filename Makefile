# The two commands of a newcomer are `make demo` and `make test`; `make help`
# lists the rest. KERNEL names the kernel of the VM: a series (6.12), host, or a
# path together with MODULES. KERNELS are the series of `make test-kernels`.

KERNEL  ?= 6.12
MODULES ?=
KERNELS ?= 6.1 6.12 7.2
PREFIX  ?= /usr/local

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/gemtool

# Make takes a space for the end of a name, and recipes a quote for the end of a
# word.
define check
$(if $(findstring $1,$(CURDIR)$(CACHE)$(KERNEL)$(MODULES)),$(error a path or KERNEL has a $2 in it, which make cannot handle))
endef
empty :=
$(call check,$(empty) $(empty),space)
$(call check,',quote)
$(if $(filter /%,$(CACHE)),,$(error XDG_CACHE_HOME must be an absolute path))
$(if $(XDG_CACHE_HOME)$(HOME),,$(error neither XDG_CACHE_HOME nor HOME is set))

GO    ?= go

# Nothing decides but what is here: no toolchain is fetched, no workspace used.
export GOTOOLCHAIN = local
export GOWORK      = off

# Go is looked at first, and only where it is needed.
ifneq ($(filter-out help kernel kernels packages clean,$(or $(MAKECMDGOALS),help)),)
GOVERSION := $(shell GO='$(GO)' testdata/make/check-go)
ifneq ($(filter error,$(GOVERSION)),)
$(error $(wordlist 2,99,$(GOVERSION)))
endif
endif

# Tools of the checks, pinned here so that go.mod stays lean. They are kept by
# version: `go run TOOL@VERSION` would ask the network every time.
STATICCHECK = $(CACHE)/bin/go$(GOVERSION)/staticcheck@v0.8.2
GOTESTSUM   = $(CACHE)/bin/go$(GOVERSION)/gotestsum@v1.13.0

GEMTOOL = bin/gemtool
VM      = $(CURDIR)/$(GEMTOOL) vm --kernel $(KERNEL) $(if $(MODULES),--modules $(MODULES))

# The tests want more than a VM has by default: vivid, a test camera that exports,
# and qxl, whose buffers are in video memory on every kernel.
# Debian's drm_info is what gemtool info is compared with, and runs in the guest;
# color pipelines are what vkms, where it has them, does not have by default.
DRM_INFO   = $(CACHE)/drm_info
TEST_FLAGS = --device default,vivid,qxl --append vkms.enable_plane_pipeline=1 --dir $(DRM_INFO)=/drm_info:ro --env GEMTOOL_DRM_INFO=/drm_info
TEST_VM    = $(VM) $(TEST_FLAGS)

# Where the checks build for: every layout of the ABI, and a system without it.
TARGETS = linux/arm64 linux/386 linux/arm linux/riscv64 darwin/arm64

# The packages whose tests ask for devices.
DEVICE_PACKAGES = ./drm ./drm/debugfs ./drm/fdinfo ./drm/internal/uapi ./drm/kms ./prime \
	./gem ./gem/scanout ./gem/conformance ./gem/internal/oracle ./cmd/gemtool ./cmd/gemtool/internal/command

# Tests of models and fake cards, to which devices add nothing but time.
MODEL_TESTS = ^Test(Model|Linearizable.*|Pool(Race|Random))$$

# The kernel's own tests are in one kernel of several.
KERNEL_PACKAGES = $(DEVICE_PACKAGES) ./cmd/gemtool/internal/vm/kunit

# Programs of the targets here; ./... does not look into testdata.
TOOLS = ./testdata/make/... ./testdata/uapi/...

.PHONY: help build build-nvml install packages kernel kernels demo test test-kernels drm-info soak fuzz bench lint format cross unit debug scripts foreign integration uapi uapi-check fmt clean
.NOTPARALLEL:

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

build: ## build bin/gemtool, static
	CGO_ENABLED=0 $(GO) build -trimpath -o $(GEMTOOL) ./cmd/gemtool

# With cgo, for go-nvml. Lazy binding lets the program start where the library
# lacks a function that go-nvml knows.
build-nvml: ## build bin/gemtool with NVIDIA's NVML, which it loads where it is
	CGO_ENABLED=1 CGO_CFLAGS='-O2 -Wno-deprecated-declarations' $(GO) build -trimpath -ldflags '-extldflags=-Wl,-z,lazy' -o $(GEMTOOL) ./cmd/gemtool

install: build ## install bin/gemtool, man pages and completions (PREFIX, DESTDIR)
	install -D -m 755 $(GEMTOOL) '$(DESTDIR)$(PREFIX)/bin/gemtool'
	$(GEMTOOL) man '$(DESTDIR)$(PREFIX)/share/man/man1'
	install -d '$(DESTDIR)$(PREFIX)'/share/bash-completion/completions '$(DESTDIR)$(PREFIX)'/share/zsh/site-functions '$(DESTDIR)$(PREFIX)'/share/fish/vendor_completions.d
	$(GEMTOOL) completion bash >'$(DESTDIR)$(PREFIX)/share/bash-completion/completions/gemtool'
	$(GEMTOOL) completion zsh >'$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_gemtool'
	$(GEMTOOL) completion fish >'$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/gemtool.fish'

packages: ## find missing programs, and install them where that is wanted
	@testdata/vm/packages '$(KERNEL)'

kernel: packages ## provide the VM's kernel (KERNEL=6.12) in the cache
	@testdata/vm/provision '$(KERNEL)'

kernels: ## provide all kernels (KERNELS="6.1 6.12 7.2") in the cache
	@testdata/vm/packages $(KERNELS)
	@set -e; for k in $(KERNELS); do testdata/vm/provision "$$k"; done

demo: packages build kernel ## the main job: share buffers between all devices of a VM
	@mkdir -p out
	$(VM) --dir '$(CURDIR)/out=/out' -- $(GEMTOOL) matrix --png /out
	@echo "what the importers read: out/*.png"

test: packages lint scripts foreign unit debug integration ## all checks and all tests

test-kernels: build kernels uapi-check drm-info $(GOTESTSUM) ## device tests, and selftest against them, on all kernels (KERNELS="6.1 6.12 7.2")
	CGO_ENABLED=0 testdata/make/test-kernels $(GOTESTSUM) '$(CURDIR)/$(GEMTOOL)' '$(KERNELS)' '$(TEST_FLAGS)' -skip '$(MODEL_TESTS)' $(KERNEL_PACKAGES)

drm-info:
	@testdata/vm/packages test
	@testdata/vm/bundle drm_info '$(DRM_INFO)'

soak: ## the model tests with ten times the steps
	GEMTOOL_SOAK=1 $(GO) test -count=1 -timeout 60m -run 'Soak|TestModel' -v ./gem ./prime/resv

fuzz: ## fuzz each parser (FUZZTIME=60s a target)
	GO='$(GO)' testdata/make/fuzz ./...

bench: build kernel ## benchmarks, on this machine and on the devices of a VM
	$(GO) test -run '^$$' -bench . -benchmem ./...
	CGO_ENABLED=0 $(GO) test -run '^$$' -bench . -benchmem -exec '$(VM) --' ./drm/... ./prime/... ./gem/...

lint: format cross $(STATICCHECK) ## format, vet, staticcheck, other systems
	$(GO) vet ./... $(TOOLS)
	$(STATICCHECK) ./... $(TOOLS)
	$(GO) mod tidy -diff

format:
	@out=$$(gofmt -l .) && test -z "$$out" || { echo "not formatted (make fmt): $$out"; exit 1; }

# vet compiles the tests too.
cross:
	@set -e; for t in $(TARGETS); do \
		echo "build and vet $$t"; export CGO_ENABLED=0 GOOS=$${t%/*} GOARCH=$${t#*/}; \
		$(GO) build ./... && $(GO) vet ./...; \
	done

scripts: ## test the scripts' own error paths
	testdata/vm/provision-test
	$(GO) test $(TOOLS)

# GODEBUG: QEMU's signals for 386 go wrong with those that Go preempts by.
foreign: ## layout tests of four more architectures, under qemu-user
	@testdata/vm/packages test
	@set -e; for t in 386:i386 arm:arm arm64:aarch64 riscv64:riscv64; do \
		echo "layouts on $${t%:*}"; GODEBUG=asyncpreemptoff=1 CGO_ENABLED=0 GOARCH=$${t%:*} \
		$(GO) test -run 'Layout|Caps' -exec "qemu-$${t#*:}-static" ./drm/internal/uapi ./prime/internal/uapi; \
	done

unit: build kernel $(GOTESTSUM) ## tests on this machine, with the race detector
	@testdata/vm/packages test
	testdata/make/tests $(GOTESTSUM) unit -race ./...

# The checker is slow under emulation: the VM runs what only devices show.
debug: build kernel $(STATICCHECK) ## tests of the debug build (tag gemdebug)
	$(GO) vet -tags gemdebug ./...
	$(STATICCHECK) -tags gemdebug ./...
	$(GO) test -tags gemdebug -skip '$(MODEL_TESTS)|Soak' ./drm/... ./prime/... ./gem
	CGO_ENABLED=0 $(GO) test -tags gemdebug -count=1 -timeout 4m -run 'Report|Local|Adopt|Hold|Store|SR' -exec '$(VM) --' ./gem

# A program of 32 bits meets the kernel's compat layer.
integration: build kernel drm-info $(GOTESTSUM) ## tests on the devices of a VM (KERNEL=6.12)
	CGO_ENABLED=0 GOARCH=386 $(GO) test -count=1 -run 'Layout|Compat' -exec '$(VM) --' ./drm/internal/uapi
	CGO_ENABLED=0 testdata/make/tests $(GOTESTSUM) integration -count=1 -timeout 8m -skip '$(MODEL_TESTS)' -exec '$(TEST_VM) --' $(DEVICE_PACKAGES)

uapi: ## renew the layouts and formats made from the kernel's headers
	@testdata/vm/packages uapi
	@GO='$(GO)' testdata/uapi/renew

uapi-check: ## fail if make uapi would change anything
	@testdata/vm/packages uapi
	@GO='$(GO)' testdata/make/uapi-check

fmt: ## format the code
	gofmt -w .

clean: ## remove what was built here; the cache stays
	rm -rf bin out

# tool PATH@VERSION: installed beside and renamed, so that two runs can share it.
define tool
	@mkdir -p $(@D) && t=$$(mktemp -d $(@D)/.new.XXXXXX) && trap 'rm -rf $$t' EXIT && \
		echo "$(GO) install $1 (into $(@D))" && GOBIN=$$t $(GO) install $1 && mv $$t/* $@
endef

$(STATICCHECK):
	$(call tool,honnef.co/go/tools/cmd/staticcheck@v0.8.2)

$(GOTESTSUM):
	$(call tool,gotest.tools/gotestsum@v1.13.0)
