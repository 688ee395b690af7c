# SPDX-License-Identifier: GPL-2.0-or-later
# timethief: `make demo` and `make test` do everything on a fresh Debian machine. Output only under $(B).

B        ?= build
VERSION  := 0.1.0
CC       ?= cc
CXX      ?= c++
CLANG    ?= clang
BPFTOOL  ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
LLVM_STRIP ?= llvm-strip
PREFIX   ?= /usr/local
DESTDIR  ?=

Q := $(if $(V),,@)
say = @printf '  %-8s%s\n' '$(1)' '$(2)'

MACHINE := $(shell uname -m)
BPF_ARCH := $(patsubst x86_64,x86,$(patsubst aarch64,arm64,$(patsubst riscv64,riscv,$(patsubst ppc64le,powerpc,$(patsubst s390x,s390,$(MACHINE))))))

# What a Debian machine needs, by package; `make deps` installs what is missing.
DEPS_BUILD := gcc clang llvm bpftool libbpf-dev libelf-dev libdw-dev libiberty-dev liblzma-dev zlib1g-dev libzstd-dev libxxhash-dev libjansson-dev \
	      libprotobuf-c-dev protobuf-c-compiler libc6-dev
DEPS_TEST  := g++ binutils perl ripgrep libcriterion-dev fio sysstat libbpf-tools linux-perf jq bsdextrautils util-linux procps xz-utils \
	      gzip python3 python3-jsonschema protobuf-compiler golang-go
# What boots Debian kernels in a guest (tests/vm), on x86-64.
DEPS_VM    := $(if $(filter x86_64,$(MACHINE)),qemu-system-x86 busybox-static kmod zstd lz4 socat mdadm dmsetup)
# What reads exports in a browser; npm packages by tests/node/package-lock.json.
DEPS_NODE  := chromium $(if $(shell command -v npm 2>/dev/null),,nodejs npm)
# What compiles stap/ into modules for the guest, which needs nothing but staprun.
DEPS_STAP  := $(if $(filter x86_64,$(MACHINE)),systemtap systemtap-runtime make gcc)

# What `make bench` compares with.
DEPS_BENCH := libbpf-tools bpftrace linux-perf trace-cmd blktrace fio sysstat jq util-linux procps

WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
CFLAGS ?= -O2 -g
override CFLAGS += -std=gnu11 $(WARN) -D_GNU_SOURCE -DTT_VERSION='"$(VERSION)"' -I. -I$(B)
LDLIBS := -lbpf -ldw -lelf -liberty -llzma -lz -lzstd -lxxhash -ljansson -lprotobuf-c -lpthread
SANFLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) -Wall -Wextra -Wno-unused-parameter \
	      -Wno-missing-declarations -I. -isystem /usr/include/$(shell $(CC) -dumpmachine 2>/dev/null)

BPF_SRC := $(wildcard bpf/*.bpf.c)
BPF_OBJ := $(patsubst %.bpf.c,$(B)/%.bpf.o,$(BPF_SRC))
BPF_MODERN_OBJ := $(patsubst %.bpf.c,$(B)/modern/%.bpf.o,$(BPF_SRC))
SRC     := $(filter-out collector/main.c,$(wildcard collector/*.c collector/*/*.c collector/*/*/*.c))
# Formats of others, in the language of protobuf; the code that packs them is made by protoc-c.
PROTO_C := $(patsubst %.proto,$(B)/%.pb-c.c,$(wildcard collector/export/proto/*.proto))
OBJ     := $(patsubst %.c,$(B)/%.o,$(SRC)) $(PROTO_C:.c=.o) $(B)/collector/export/html/embed.o
ASANOBJ := $(patsubst %.c,$(B)/asan/%.o,$(SRC)) $(patsubst $(B)/%.c,$(B)/asan/%.o,$(PROTO_C)) $(B)/asan/collector/export/html/embed.o
TESTS   := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*_test.c tests/unit/*/*_test.c))
FUZZ    := $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCH   := $(B)/tests/bench/empty.bpf.o $(patsubst tests/bench/%.c,$(B)/tests/bench/%,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c)))
HELPERS := $(patsubst tests/system/helpers/%.c,$(B)/tests/helpers/%,$(wildcard tests/system/helpers/*.c)) \
	   $(patsubst tests/vm/helpers/%.c,$(B)/tests/helpers/%,$(wildcard tests/vm/helpers/*.c)) \
	   $(patsubst tests/helpers/%.c,$(B)/tests/helpers/%,$(wildcard tests/helpers/*.c)) \
	   $(B)/tests/helpers/chain $(B)/tests/helpers/chain-nofp $(B)/tests/helpers/timethief-no-page $(B)/tests/bench/peak

all: $(B)/timethief

# --- kernel side ---
$(B)/bpf/%.bpf.o: bpf/%.bpf.c
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@.tmp && $(LLVM_STRIP) -g $@.tmp && mv $@.tmp $@

# For kernels that have bpf_rdonly_cast; see bpf/probe.bpf.h.
$(B)/modern/bpf/%.bpf.o: bpf/%.bpf.c
	$(call say,BPF,$< (modern))
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -DTT_MODERN -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@.tmp && $(LLVM_STRIP) -g $@.tmp && mv $@.tmp $@

$(B)/timethief.bpf.o: $(BPF_OBJ)
$(B)/timethief_modern.bpf.o: $(BPF_MODERN_OBJ)
$(B)/timethief.bpf.o $(B)/timethief_modern.bpf.o:
	$(call say,LINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^
$(B)/timethief.skel.h $(B)/timethief_modern.skel.h: $(B)/%.skel.h: $(B)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp && mv $@.tmp $@

# The contract for SystemTap, after a change of bpf/event.h or bpf/kinds.def. Checked in, so that the scripts work from a plain copy of
# the tree; tests/system/stap_scripts.t sees to it that it is current.
contract:
	$(call say,STAP,stap/tapset/contract.stp)
	$(Q)mkdir -p $(B) && scripts/stap-contract bpf >$(B)/contract.stp && mv $(B)/contract.stp stap/tapset/contract.stp

# --- collector ---
# A pattern of two targets is made at once, and who includes the header is built anew with it.
$(B)/%.pb-c.c $(B)/%.pb-c.h: %.proto
	$(call say,PROTOC,$<)
	$(Q)mkdir -p $(B) && protoc-c -I. --c_out=$(B) $<
$(PROTO_C:.c=.o): %.o: %.c
	$(call say,CC,$<)
	$(Q)$(CC) $(CFLAGS) -c $< -o $@
$(patsubst $(B)/%.c,$(B)/asan/%.o,$(PROTO_C)): $(B)/asan/%.o: $(B)/%.c
	$(call say,CC-SAN,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(SANFLAGS) -c $< -o $@

GENERATED := $(B)/timethief.skel.h $(B)/timethief_modern.skel.h $(PROTO_C)
$(B)/%.o: %.c | $(GENERATED)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) -MMD -MP -c $< -o $@
$(B)/asan/%.o: %.c | $(GENERATED)
	$(call say,CC-SAN,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(SANFLAGS) -MMD -MP -c $< -o $@

# The page of `export -f html`; empty where npm or its packages cannot be had: everything else works without. NPM= goes without it.
NPM ?= npm
PAGE_SRC := $(shell find collector/export/html/page -type f 2>/dev/null)
$(B)/page.html: scripts/build-page.sh $(PAGE_SRC)
	$(call say,PAGE,$@)
	$(Q)mkdir -p $(B) && NPM='$(NPM)' scripts/build-page.sh collector/export/html/page $(B)/page $@
$(B)/collector/export/html/embed.o $(B)/asan/collector/export/html/embed.o: collector/export/html/embed.S $(B)/page.html
	$(Q)mkdir -p $(@D) && $(CC) -DPAGE_FILE='"$(B)/page.html"' -c $< -o $@
# Where it was missing; says why it cannot be built.
page:
	$(Q)mkdir -p $(B) && [ -s $(B)/page.html ] || NPM='$(NPM)' scripts/build-page.sh --strict collector/export/html/page $(B)/page $(B)/page.html
	$(Q)$(MAKE) --no-print-directory all

$(B)/libtimethief.a: $(OBJ)
	$(Q)rm -f $@ && ar rcs $@ $^
$(B)/asan/libtimethief.a: $(ASANOBJ)
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/timethief: $(B)/collector/main.o $(B)/libtimethief.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(B)/asan/timethief: $(B)/asan/collector/main.o $(B)/asan/libtimethief.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# --- tests ---
$(B)/tests/unit/%_test: tests/unit/%_test.c $(B)/asan/libtimethief.a
	$(call say,TEST-CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(SANFLAGS) -MMD -MP -o $@ $(filter %.c %.a,$^) -lcriterion $(LDLIBS) -lm
$(B)/tests/fuzz/%: tests/fuzz/%.c $(B)/asan/libtimethief.a
	$(call say,FUZZ-CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(SANFLAGS) -DTT_FUZZ_STANDALONE -MMD -MP -o $@ $(filter %.c %.a,$^) $(LDLIBS)
$(B)/tests/helpers/%: tests/system/helpers/%.c
	$(call say,HELPER,$<)
	$(Q)mkdir -p $(@D) && $(CC) -O2 -g -std=gnu11 $(WARN) -D_GNU_SOURCE -MMD -MP -o $@ $< -Wl,--as-needed -lbpf -lpthread

# A program whose call chain is known, with frame pointers and without.
$(B)/tests/helpers/chain: FRAMES := -fno-omit-frame-pointer
$(B)/tests/helpers/chain-nofp: FRAMES := -fomit-frame-pointer
$(B)/tests/helpers/chain $(B)/tests/helpers/chain-nofp: $(wildcard tests/system/chain/*)
	$(call say,HELPER,$@)
	$(Q)mkdir -p $(@D) && $(CC) -O2 -g -std=gnu11 $(WARN) -D_GNU_SOURCE $(FRAMES) -c tests/system/chain/chain_c.c -o $@.c.o && \
		$(CXX) -O2 -g -std=gnu++17 -Wall -Wextra $(FRAMES) -o $@ tests/system/chain/chain.cc $@.c.o

# What a machine without npm builds.
$(B)/tests/helpers/timethief-no-page: $(B)/collector/main.o tests/helpers/no_page.S $(B)/libtimethief.a
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# These read or write recordings with the collector's own code.
$(B)/tests/helpers/%: tests/helpers/%.c $(B)/libtimethief.a
	$(call say,HELPER,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) -MMD -MP -o $@ $(filter %.c %.a,$^) $(LDLIBS)
$(B)/tests/helpers/%: tests/vm/helpers/%.c $(B)/libtimethief.a
	$(call say,HELPER,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) -MMD -MP -o $@ $(filter %.c %.a,$^) $(LDLIBS)

$(B)/tests/bench/%.bpf.o: tests/bench/%.bpf.c
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -c $< -o $@
$(B)/tests/bench/names: tests/bench/names.c $(B)/libtimethief.a
	$(call say,BENCH,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) -MMD -MP -o $@ $(filter %.c %.a,$^) $(LDLIBS)
$(B)/tests/bench/%: tests/bench/%.c
	$(call say,BENCH,$<)
	$(Q)mkdir -p $(@D) && $(CC) -O2 -g -std=gnu11 $(WARN) -D_GNU_SOURCE -MMD -MP -o $@ $< -Wl,--as-needed -lbpf

$(B)/node/node_modules/.package-lock.json: tests/node/package.json tests/node/package-lock.json
	$(call say,NPM,tests/node)
	$(Q)mkdir -p $(B)/node && cp $^ $(B)/node && cd $(B)/node && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json

# Unit tests only; needs no root.
check: $(TESTS) $(FUZZ)
	$(Q)B=$(B) tests/run --unit

# Everything: installs what is missing, builds, runs every test.
test: deps-test
	$(Q)$(MAKE) --no-print-directory test-built
test-built: $(B)/timethief $(B)/asan/timethief $(TESTS) $(FUZZ) $(HELPERS)
	$(Q)B=$(B) tests/run

# Installs what is missing, builds, records this machine under a short real load, shows the report.
demo: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)B=$(B) scripts/demo.sh

# What recording costs, beside other tools; about half an hour. ROUNDS and the like: tests/bench/run.
bench: deps-bench
	$(Q)$(MAKE) --no-print-directory $(B)/timethief $(BENCH) $(B)/tests/helpers/made_busy
	$(Q)B=$(B) tests/bench/run $(ROWS)

deps:
	$(Q)scripts/install-deps.sh $(DEPS_BUILD)
deps-test:
	$(Q)scripts/install-deps.sh $(DEPS_BUILD) $(DEPS_TEST) $(DEPS_VM) $(DEPS_STAP)
	$(Q)$(MAKE) --no-print-directory deps-node || echo 'tests in a browser will be skipped'
deps-node:
	$(Q)scripts/install-deps.sh $(DEPS_NODE)
	$(Q)$(MAKE) --no-print-directory $(B)/node/node_modules/.package-lock.json
	$(Q)[ -s $(B)/page.html ] || rm -f $(B)/page.html # what it lacked may be there by now

deps-bench:
	$(Q)scripts/install-deps.sh $(DEPS_BUILD) $(DEPS_BENCH)
	$(Q)$(MAKE) --no-print-directory deps-node || echo 'nothing will be opened in a browser'

golden: $(TESTS)
	$(Q)for t in $(TESTS); do TT_GOLDEN_WRITE=1 $$t >/dev/null || exit 1; done

format:
	$(Q)clang-format -i $(wildcard bpf/*.c bpf/*.h collector/*.c collector/*/*.c collector/*/*.h collector/*/*/*.c collector/*/*/*.h tests/unit/*/*.c tests/fuzz/*.c tests/system/helpers/*.c tests/bench/*.c)

install: all
	install -D -m 755 $(B)/timethief $(DESTDIR)$(PREFIX)/bin/timethief
	install -D -m 644 docs/timethief.1 $(DESTDIR)$(PREFIX)/share/man/man1/timethief.1
	install -d $(DESTDIR)$(PREFIX)/share/timethief/stap/tapset
	install -m 755 $(wildcard stap/*.stp) scripts/stap-runtime scripts/stap-build-folder $(DESTDIR)$(PREFIX)/share/timethief/stap
	install -m 644 $(wildcard stap/tapset/*) $(DESTDIR)$(PREFIX)/share/timethief/stap/tapset

clean:
	$(Q)rm -rf $(B)

.PHONY: all check test test-built demo bench contract page deps deps-test deps-node deps-bench golden format install clean
.DELETE_ON_ERROR:

-include $(shell test -d $(B) && find $(B) -name '*.d')
