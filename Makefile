# `make` or `make help` lists what there is: each target's line with ## is its description.
SHELL := /usr/bin/env bash
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

.DEFAULT_GOAL := help
.PHONY: help build demo test test-unit test-kfake test-real test-kafka-2.8 test-kafka-3.9 lint lint-selftest fmt kafka bench figures chaos model sim clean

help: ## this list
	@sed -n 's/^\([a-z0-9.-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r target text; do printf '  %-15s %s\n' "$$target" "$$text"; done

build: ## the binary, as build/meshd
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o build/meshd ./cmd/meshd

demo: ## three embedded clusters, a datacenter that dies and comes back, and a verdict; needs no Kafka
	go run ./cmd/meshd demo

test: ## every test: unit, integration on kfake, integration on real Kafka (fetched first; Java and Maven too, where they may be installed)
	scripts/test.sh

test-unit: ## go vet and the tests that need no cluster outside the process
	scripts/test.sh vet unit

test-kfake: ## integration on kfake
	scripts/test.sh kfake

test-real: ## integration on Apache Kafka's own brokers
	scripts/test.sh real

test-kafka-2.8: ## all integration tests on Kafka 2.8, with ZooKeeper (ten minutes; `make test` runs a part of them)
	scripts/test.sh kafka-2.8

test-kafka-3.9: ## all integration tests on Kafka 3.9 (ten minutes)
	scripts/test.sh kafka-3.9

model: ## every graph of up to 5 clusters, and every order of deliveries where that is possible, against package loop (ten minutes)
	MESHD_MODEL=1 go test -count=1 -timeout 1h -v -run 'Order|Everything|EachRule|Registries|Elsewhere|Pairs|Progress|SeveralTopics|OtherRules|LinkState' ./loop

sim: ## 20,000 seeds of meshes around the pure packages, and every rule that may be taken away (an hour; SIM='-seeds 1 -seed 7')
	go test -count=1 -timeout 4h -v ./test/sim -seeds 20000 $(SIM)

lint: lint-selftest ## golangci-lint, after a proof that its rules refuse what they should
	"$$(scripts/tool.sh golangci-lint)" run --allow-serial-runners ./...

lint-selftest: ## forbidden imports in a module of stubs, each of which must be refused
	scripts/lint-selftest.sh

fmt: ## gofumpt and goimports
	"$$(scripts/tool.sh golangci-lint)" fmt ./...

kafka: ## Apache Kafka for trials: clusters us and eu on loopback (scripts/kafka.sh says more)
	scripts/kafka.sh start us
	scripts/kafka.sh start eu

bench: ## meshd side by side with two copy programs and MirrorMaker 2, on real Kafka, into docs/BENCHMARKS.md (an hour; BENCH='-cells base -quick')
	go run ./test/bench -page docs/BENCHMARKS.md $(BENCH)

figures: ## what meshd is built to reach, beside what it reaches on this machine
	go run ./test/bench -figures $(BENCH)

chaos: ## 20 seeds of faults on each of three meshes of real processes and real Kafka, and every mutation of the code, into build/chaos (an hour and a half; CONTRIBUTING.md)
	scripts/kafka.sh fetch >/dev/null
	MESHD_TEST_KAFKA=real go test -count=1 -timeout 4h -v ./test/chaos -args -seeds 20 -every -reports $(CURDIR)/build/chaos $(CHAOS)

clean: ## what was built here; caches in ~/.cache/meshd stay
	rm -rf build
