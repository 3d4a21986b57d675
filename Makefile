# xinglin: the short way to everything. `make demo` runs the main job, `make test` the tests; both install what is missing.
BUILD ?= build
DATA  ?= ../shared/data
FHIR  ?=
EPCIS ?=
export DATA BUILD

all: setup
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) >/dev/null
	@ninja -C $(BUILD) --quiet

setup:
	@tools/setup build

demo: all
	@tools/demo --xinglin $(BUILD)/src/app/xinglin $(if $(FHIR),--fhir "$(FHIR)") $(if $(EPCIS),--epcis "$(EPCIS)") $(if $(PACKS),--packs "$(PACKS)") $(if $(CHAIN),--chain "$(CHAIN)")

# The same job over four members' nodes, and what a member that lies cannot do.
consortium: all
	@comet=$${COMETBFT:-$$(tools/cometbft)} && tools/demo --xinglin $(BUILD)/src/app/xinglin --consortium "$$comet"

run: all
	@$(BUILD)/src/app/xinglin dev --data data

test: all
	@tools/setup test
	@tools/test-setup
	@tools/test

check: all
	@tools/setup test
	@tools/check-layers
	@tools/check-headers
	@tools/check-format
	@tools/check-width
	@tools/check-tour
	@tools/check-docs
	@tools/make-api-docs --check
	@tools/make-man --check

# The same tests of C, built by clang with ASan and UBSan, and with the invariants of representations checked.
sanitize: setup
	@tools/setup test
	@test -f $(BUILD)-sanitize/build.ninja || CC=clang-14 meson setup $(BUILD)-sanitize -Dbuildtype=debugoptimized \
		-Db_sanitize=address,undefined -Db_lundef=false -Dverify=true >/dev/null
	@ninja -C $(BUILD)-sanitize --quiet
	@UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 tools/test-sanitized $(BUILD)-sanitize

conformance: all
	@tools/conformance

bench: setup
	@test -f $(BUILD)-bench/build.ninja || meson setup $(BUILD)-bench -Dbench=true >/dev/null
	@ninja -C $(BUILD)-bench --quiet src/app/xinglin $(patsubst %.c,%,$(wildcard bench/bench_*.c))
	@tools/bench $(BUILD)-bench $(BENCH_OPTIONS)

# What takes an hour or two more: the 60 million rows, the million blocks, a minute for each row of waiting clients.
bench-long: BENCH_OPTIONS = --long
bench-long: bench

peers:
	@tools/bench-peers

fuzz: setup
	@tools/setup test
	@test -f $(BUILD)-fuzz/build.ninja || CC=clang-14 meson setup $(BUILD)-fuzz -Dfuzz=true -Dbuildtype=debugoptimized \
		-Db_sanitize=address,undefined -Db_lundef=false >/dev/null
	@ninja -C $(BUILD)-fuzz --quiet
	@tools/fuzz $(BUILD)-fuzz

soak: all
	@tools/setup test
	@tools/test-setup
	@tools/soak

package: setup
	@tools/setup test
	@tools/make-package

install: all
	@meson install -C $(BUILD) --no-rebuild

format:
	@clang-format-14 -i $$(git ls-files '*.c' '*.h')

clean:
	@rm -rf $(BUILD) $(BUILD)-bench $(BUILD)-package $(BUILD)-fuzz $(BUILD)-sanitize

.PHONY: all setup demo consortium run test check sanitize conformance bench bench-long peers fuzz soak package install format clean
