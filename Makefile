# The front door; Meson and Ninja do the work. On Debian and Ubuntu what is missing is installed first (as root or with sudo).

PREFIX ?= /usr/local
DESTDIR ?=
BUILD ?= build
FUZZ_SECONDS ?= 300

.PHONY: all run test test-vm bench fuzz install clean format deps-build deps-test

all: $(BUILD)/build.ninja
	@ninja --quiet -C $(BUILD)

$(BUILD)/build.ninja: | deps-build
	@mkdir -p $(BUILD)
	@meson setup $(BUILD) --prefix=$(PREFIX) >$(BUILD)/setup.log || { cat $(BUILD)/setup.log; exit 1; }

deps-build:
	@tools/install-deps build

deps-test:
	@tools/install-deps build test

# The judgement itself is the result: exit code 0 whatever it says (1 warnings, 2 failures).
run: all
	@$(BUILD)/pitcrew check; code=$$?; test $$code -le 2

test: deps-test
	tests/run

test-vm: all deps-test
	tests/vm/setup
	tests/vm/run

bench: all
	@tools/install-deps bench
	tests/bench/cache $(BUILD)
	tests/bench/check $(BUILD)
	tests/bench/launch $(BUILD)
	tests/bench/tune $(BUILD)
	tests/bench/feed $(BUILD) --svg $(BUILD)/feed.svg

fuzz: deps-test
	tests/fuzz/run $(FUZZ_SECONDS)

install: all
	@meson configure $(BUILD) --prefix=$(PREFIX)
	@DESTDIR=$(abspath $(DESTDIR)) meson install -C $(BUILD) --quiet
	@echo "installed below $(DESTDIR)$(PREFIX)"

format:
	git ls-files '*.[ch]' | xargs clang-format-14 -i

clean:
	rm -rf $(BUILD) build-test build-asan
