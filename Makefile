# Everything is built in one profile (dev) into one target directory, so that no target compiles anew what another did.

TOOLS := $(or $(CARGO_TARGET_DIR),target)/tools/bin

.DEFAULT_GOAL := help
.NOTPARALLEL:

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## start Relatch with demo accounts and a mailbox, on loopback (ARGS="--data-dir …")
	@cargo build --locked
	@cargo run --locked --quiet -- dev $(ARGS)

.PHONY: setup
setup: ## install what the tests call into target/tools
	@scripts/setup.sh

.PHONY: test
test: setup ## run the tests
	cargo test --locked

.PHONY: ci
ci: fmt-check lint ships deny-offline test ## run everything a change must pass

.PHONY: fmt
fmt: ## format the code
	cargo fmt

.PHONY: fmt-check
fmt-check:
	cargo fmt --check

# With --all-targets the dependencies have the features they have under `cargo test`, so the two share what both build.
.PHONY: lint
lint: setup ## run clippy on all code, the documentation's links and buf on the protos
	cargo clippy --locked --all-targets -- --deny warnings
	RUSTDOCFLAGS='--deny warnings' cargo doc --locked --no-deps --document-private-items
	$(TOOLS)/buf lint

# Development dependencies switch on features of tokio and others. This fails where the binary compiles only thanks to them.
.PHONY: ships
ships:
	cargo check --locked

.PHONY: deny
deny: setup ## check the dependencies: bans, licences, sources and advisories
	$(TOOLS)/cargo-deny --locked check

# Without the advisories, whose database is not in reach everywhere.
.PHONY: deny-offline
deny-offline: setup
	$(TOOLS)/cargo-deny --locked check bans licenses sources

# The same profile as `make test`: it already optimises what the time goes to (Argon2, SQLite, zxcvbn).
.PHONY: soak
soak: setup ## run the tests with their larger sizes
	RELATCH_SOAK=1 cargo test --locked

.PHONY: screenshots
screenshots: setup ## take the README's pictures of the console anew
	RELATCH_SCREENSHOTS=docs/screenshots cargo test --locked --test it browser::

.PHONY: bench
bench: ## measure the ratios that the design promises (release profile)
	cargo bench --locked --bench ratios

# The coverage that libFuzzer steers by, as the stable compiler offers it. Without --target the flags would reach build scripts,
# which have no libFuzzer to link with. The lock file is copied so that the versions fuzzed are those that ship.
FUZZ_FLAGS := --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
	-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1
TARGET := token
SECONDS := 60

.PHONY: fuzz
fuzz: ## fuzz one of fuzz/fuzz_targets with libFuzzer (TARGET=token SECONDS=60)
	@mkdir -p fuzz/corpus/$(TARGET) fuzz/artifacts/$(TARGET)
	@cp Cargo.lock fuzz/Cargo.lock
	RUSTFLAGS='$(FUZZ_FLAGS)' cargo run --release --manifest-path fuzz/Cargo.toml --target-dir fuzz/target \
		--target $(shell rustc --print host-tuple) --bin $(TARGET) -- \
		-max_total_time=$(SECONDS) -artifact_prefix=fuzz/artifacts/$(TARGET)/ fuzz/corpus/$(TARGET)
