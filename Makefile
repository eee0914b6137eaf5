# SPDX-License-Identifier: GPL-2.0-or-later
# One Makefile. `make help` lists what it does. Users' CFLAGS, LDFLAGS are added to ours, never replaced by them.

BUILD   ?= build
PYTHON  ?= /usr/bin/python3
CFLAGS  ?= -O2 -g
PREFIX  ?= /usr/local
DESTDIR ?=
JOBS    ?= $(shell nproc)
# no: without a filter of system calls, and without libseccomp
SECCOMP ?= yes

# What is compiled is named in a word; V=1 shows the commands.
Q   = $(if $(V),,@)
say = @$(if $(V),:,printf '  %s  %s\n' $(1) $(2))

PACKAGES := libnetfilter_conntrack libnetfilter_log libnfnetlink libmnl libmicrohttpd libconfuse jansson zlib libcap-ng sqlite3 \
            ncursesw libev yaml-0.1 libxcrypt gnutls $(if $(filter no,$(SECCOMP)),,libseccomp)

# libev ships no pkg-config file on Debian.
pkgs      = $(filter-out libev,$(PACKAGES))
hm_cflags = -std=gnu17 -Wall -Wextra -Wshadow -Wformat=2 -Wvla -Wstrict-prototypes -Wmissing-prototypes \
            -Iinclude -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 $(if $(filter no,$(SECCOMP)),-DHOSTMETER_NO_SECCOMP) \
            $(shell pkg-config --cflags $(pkgs) 2>/dev/null)
# All symbols are looked up at the start, and what they were written to is read-only from then on.
hm_ldflags = -Wl,-z,relro,-z,now
hm_libs   = $(shell pkg-config --libs $(pkgs) 2>/dev/null) -lev -lm

SOURCES := $(wildcard src/*/*.c)
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/%.o)
UNITS   := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*/test_*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
TOOLS   := $(patsubst tools/%.c,$(BUILD)/%,$(wildcard tools/*.c))

.PHONY: all help tools unit traces budget bench asan e2e test check-style check-docs print-libs fuzz foreign vm-test nspawn-test clean run demo deps deps-test install uninstall

all: $(BUILD)/hostmeter ## build the program: build/hostmeter

help: ## this list
	@sed -n 's/^\([a-z][a-z0-9-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

# --- What the machine lacks is installed by tools/deps; both are no-ops where all is there.
deps: ## install what building needs (Debian)
	@tools/deps build

deps-test: ## install what the tests need (Debian)
	@tools/deps test

# --- The program
$(BUILD)/%.o: src/%.c | deps
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(hm_cflags) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libhostmeter.a: $(OBJECTS)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)$(AR) rcs $@ $^

$(BUILD)/hostmeter: $(BUILD)/main.o $(BUILD)/libhostmeter.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(hm_ldflags) $(LDFLAGS) -o $@ $^ $(hm_libs)

# The date of the source: a clock that is earlier was not set.
$(BUILD)/os/wall_clock.o: CPPFLAGS += -DHOSTMETER_BUILT=UINT64_C\($(or $(SOURCE_DATE_EPOCH),$(shell stat -c %Y ChangeLog.md))\)

# --- Tools: one object plus the library each
tools: $(TOOLS) ## build the traffic generator and the other tools of the lab

$(BUILD)/%: tools/%.c $(BUILD)/libhostmeter.a
	$(call say,CC,$<)
	$(Q)$(CC) $(hm_cflags) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP -MF $@.d -o $@ $< $(BUILD)/libhostmeter.a $(hm_libs)

# --- Tests
$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/libhostmeter.a
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(hm_cflags) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -Itests/unit -Isrc/$(*D) -MMD -MP -MF $@.d -o $@ $< \
		$(BUILD)/libhostmeter.a $(hm_libs) -lcmocka

unit: deps-test $(UNITS) ## unit tests: no kernel, no network
	@tests/run-units $(UNITS)

traces: $(BUILD)/hostmeter ## recorded traces: the same figures as when they were recorded
	@tests/run-traces $(BUILD)/hostmeter

budget: deps-test $(BUILD)/hostmeter tools ## instructions of the hot paths against tests/budget.txt
	@tests/run-budget $(BUILD)/hostmeter $(BUILD)/mktrace

asan: deps-test ## unit tests under the address and undefined-behaviour sanitizers
	$(MAKE) BUILD=$(BUILD)-asan CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all' unit

e2e: deps-test $(BUILD)/hostmeter tools ## end-to-end tests in network namespaces
	@tests/run-e2e $(E2E)

test: deps-test ## everything: style, unit tests, sanitizers, end to end
	$(MAKE) check-style
	$(MAKE) -j$(JOBS) all tools $(UNITS)
	$(MAKE) check-docs
	$(MAKE) unit
	$(MAKE) traces
	$(MAKE) budget
	$(MAKE) -j$(JOBS) asan
	$(MAKE) e2e

check-style: deps-test ## includes between rooms, headers that compile alone, format
	@tests/check-style $(CC)

check-docs: $(BUILD)/hostmeter ## the documentation names what the program has
	@tests/check-docs $(BUILD)/hostmeter

print-libs:
	@echo $(hm_libs)

fuzz: deps-test ## run every fuzz target for FUZZ_SECONDS (10) over its corpus
	@tests/run-fuzz $(FUZZERS)

foreign: ## unit tests on the other byte order, on 32 bits and on MIPS, under qemu
	@tests/run-foreign s390x
	@tests/run-foreign armhf
	@tests/run-foreign mipsel

vm-test: $(BUILD)/hostmeter ## the meter on Debian's kernels 6.1, 5.10, 6.12, under qemu (root; VM='-k WORD KERNEL')
	@tests/vm/run $(BUILD)/hostmeter $(VM)

nspawn-test: $(BUILD)/hostmeter ## the systemd unit, in a container that systemd boots (root; Debian 12)
	@tests/nspawn/run $(BUILD)/hostmeter

bench: deps-test $(BUILD)/hostmeter tools ## measure beside the floor and peers (BENCH=--quick, --help); docs/performance.md
	@HOSTMETER=$(BUILD)/hostmeter PYTHON=$(PYTHON) tools/bench $(BENCH)

# --- Try it
run: $(BUILD)/hostmeter ## meter this machine in the foreground (root); Ctrl-C puts everything back
	@tools/run $(BUILD)/hostmeter

demo: deps-test $(BUILD)/hostmeter ## a router, three hosts and traffic in network namespaces, until Ctrl-C
	@tools/demo $(BUILD)/hostmeter

clean: ## remove what was built
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-fuzz $(BUILD)-s390x $(BUILD)-armhf $(BUILD)-mipsel

# --- Install: source, mode, destination
PROGRAM ?= $(BUILD)/hostmeter
INSTALL_TABLE := \
	$(PROGRAM):755:$(PREFIX)/sbin/hostmeter \
	rules/hostmeter.nft:644:$(PREFIX)/share/hostmeter/hostmeter.nft \
	rules/hostmeter.iptables:644:$(PREFIX)/share/hostmeter/hostmeter.iptables \
	rules/hostmeter.ip6tables:644:$(PREFIX)/share/hostmeter/hostmeter.ip6tables \
	init/hostmeter.service:644:$(PREFIX)/lib/systemd/system/hostmeter.service \
	init/hostmeter.sysusers:644:$(PREFIX)/lib/sysusers.d/hostmeter.conf \
	docs/hostmeter.8:644:$(PREFIX)/share/man/man8/hostmeter.8 \
	docs/hostmeter.conf.5:644:$(PREFIX)/share/man/man5/hostmeter.conf.5

install: $(PROGRAM) ## install below PREFIX (/usr/local)
	@for row in $(INSTALL_TABLE); do IFS=:; set -- $$row; install -D -m $$2 $$1 $(DESTDIR)$$3 && echo "$(DESTDIR)$$3"; done

uninstall: ## remove what install put there
	@for row in $(INSTALL_TABLE); do IFS=:; set -- $$row; rm -f $(DESTDIR)$$3; done

# What a source file embeds (base/embed.h), the compiler does not tell.
embedded = $(shell sed -n 's/^EMBED(.*, "\(.*\)");/\1/p' $(1))
$(foreach file,$(shell grep -l '^EMBED' $(SOURCES)),$(eval $(file:src/%.c=$(BUILD)/%.o): $(call embedded,$(file))))

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d $(BUILD)/tests/*/*.d)
