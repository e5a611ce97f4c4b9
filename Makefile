# Cadastre: `make` builds both programs, `make check` all tests that need no network. See README.md, tests/README.md.
#
#   make [CC=clang] [SAN=address,undefined | SAN=thread] [V=1] [all|check|check-source|bench|install|clean]
#   make fuzz NAME=<stem of tests/fuzz/<stem>_fuzz.c> CC=clang
#
# Each compiler and sanitiser builds into a directory of its own: build, build-clang, build-address-undefined, …

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

ifeq ($(origin CC),default)
CC := gcc
endif
AR ?= ar
prefix ?= /usr/local

empty :=
comma := ,
space := $(empty) $(empty)
COMPILER := $(filter-out gcc cc,$(notdir $(firstword $(CC))))
B := $(subst $(space),-,$(strip build $(COMPILER) $(subst $(comma), ,$(SAN))))

ifeq ($(V),1)
say = @:
quiet :=
else
say = @printf '  %-7s %s\n' '$(1)' '$(2)'
quiet := @
endif

# What there is to build: all by wildcard, a new file needs no line here.

MAINS := api/server/main.c api/cli/main.c
SOURCES := $(filter-out $(MAINS),$(wildcard ca/*/*.c publish/*.c publish/check/*.c db/*.c db/stores/*.c \
	api/server/*.c api/auth/*.c api/handlers/*.c api/cli/*.c))
SQL := $(wildcard db/schema/*.sql db/queries/*.sql)
SCENARIOS := $(wildcard tests/scenario/*.c)
UNITS := $(wildcard tests/unit/*_test.c)
SUPPORT := $(wildcard tests/support/*.c) $(filter-out $(UNITS),$(wildcard tests/unit/*.c))
FUZZERS := $(wildcard tests/fuzz/*_fuzz.c)
PRIME_SERVER := tests/bench/prime_server.c
BENCHES := $(filter-out $(PRIME_SERVER),$(wildcard tests/bench/*.c))
CHECKERS := $(wildcard tests/crash/*.c) $(wildcard tests/check/*_run.c)
CHECKER_PARTS := $(filter-out $(CHECKERS),$(wildcard tests/check/*.c))
INPUTS := $(SOURCES) $(SQL) $(SUPPORT)

GENERATED := $(addprefix $(B)/generated/,queries.c schema.c assets.c)
LIBRARY := $(B)/libcadastre.a
PROGRAMS := $(B)/cadastred $(B)/cadastre
LIBRARY_OBJECTS := $(SOURCES:%.c=$(B)/%.o) $(GENERATED:.c=.o)
SUPPORT_LIBRARY := $(B)/libsupport.a
SUPPORT_OBJECTS := $(SUPPORT:%.c=$(B)/%.o)
SCENARIO_PROGRAMS := $(SCENARIOS:%.c=$(B)/%)
UNIT_PROGRAMS := $(UNITS:%.c=$(B)/%)
FUZZ_PROGRAMS := $(FUZZERS:%.c=$(B)/%)
BENCH_PROGRAMS := $(BENCHES:%.c=$(B)/%)
CHECKER_PROGRAMS := $(CHECKERS:%.c=$(B)/%)

# How it is built. The linker keeps only the libraries that a program uses.

PACKAGES := openssl sqlite3 libmicrohttpd gnutls jansson uuid libcurl hogweed nettle gmp zlib smartcols libconfig expat
ifneq ($(filter-out clean check-source,$(or $(MAKECMDGOALS),all)),)
PACKAGE_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) cmocka)
PACKAGE_LIBS := $(shell pkg-config --libs $(PACKAGES))
CMOCKA_LIBS := $(shell pkg-config --libs cmocka)
ifeq ($(and $(PACKAGE_LIBS),$(CMOCKA_LIBS)),)
$(error libraries are missing (see above): run scripts/packages)
endif
endif

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes -Werror
HARDENING := -fstack-protector-strong -fPIE
CFLAGS ?= -O2 -g
ifneq ($(SAN),)
SANITISE := -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
else ifeq ($(filter -O0,$(CFLAGS)),)
HARDENING += -D_FORTIFY_SOURCE=2
endif

CPPFLAGS += -D_GNU_SOURCE -I. -I$(B)
ALL_CFLAGS = -std=gnu11 $(WARNINGS) $(CPPFLAGS) $(PACKAGE_CFLAGS) $(CFLAGS) $(HARDENING) $(SANITISE) -pthread
ALL_LDFLAGS = -pie -pthread -Wl,-z,relro,-z,now,--as-needed $(SANITISE) $(LDFLAGS)

.PHONY: all units fuzzers benches checkers scenarios check check-source check-units check-fuzzers bench fuzz install clean FORCE
all: $(PROGRAMS)
units: $(UNIT_PROGRAMS)
fuzzers: $(FUZZ_PROGRAMS)
benches: $(BENCH_PROGRAMS) $(PRIME_SERVER:%.c=$(B)/%)
checkers: $(CHECKER_PROGRAMS)
scenarios: $(SCENARIO_PROGRAMS)

check: check-source check-units check-fuzzers

check-source:
	scripts/check-source

check-units: units
	tests/unit/run $(B)

check-fuzzers: fuzzers
	tests/fuzz/run $(B)

bench: all benches
	scripts/bench

# A fuzzer that runs until it finds something, started from the seed corpus.
fuzz:
	$(if $(wildcard tests/fuzz/$(NAME)_fuzz.c),,$(error NAME=$(NAME): no tests/fuzz/$(NAME)_fuzz.c))
	$(MAKE) SAN=address,undefined,fuzzer-no-link $(B)-address-undefined-fuzzer-no-link/tests/fuzz/$(NAME)_fuzzer

install: all
	install -d $(addprefix $(DESTDIR)$(prefix)/,bin share/man/man1 share/man/man8 share/doc/cadastre)
	install -m 755 $(PROGRAMS) $(DESTDIR)$(prefix)/bin
	install -m 644 $(wildcard README.md) LICENSE $(DESTDIR)$(prefix)/share/doc/cadastre
	for page in $(wildcard api/cli/*.1); do install -m 644 "$$page" $(DESTDIR)$(prefix)/share/man/man1 || exit; done
	for page in $(wildcard api/server/*.8); do install -m 644 "$$page" $(DESTDIR)$(prefix)/share/man/man8 || exit; done
	for unit in $(wildcard api/server/cadastred.service); do install -d $(DESTDIR)$(prefix)/lib/systemd/system && \
		sed 's|@prefix@|$(prefix)|g' "$$unit" >$(DESTDIR)$(prefix)/lib/systemd/system/cadastred.service || exit; done

clean:
	rm -rf build build-*

# Rules.

$(B)/cadastred: $(B)/api/server/main.o $(LIBRARY)
$(B)/cadastre: $(B)/api/cli/main.o $(LIBRARY)
$(PROGRAMS):
	$(call say,LINK,$@)
	$(quiet)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PACKAGE_LIBS)

$(LIBRARY): $(LIBRARY_OBJECTS) $(B)/inputs
	$(call say,AR,$@)
	$(quiet)rm -f $@ && $(AR) rcs $@ $(LIBRARY_OBJECTS)

$(SUPPORT_LIBRARY): $(SUPPORT_OBJECTS) $(B)/inputs
	$(call say,AR,$@)
	$(quiet)rm -f $@ && $(AR) rcs $@ $(SUPPORT_OBJECTS)

$(UNIT_PROGRAMS): %: %.o $(SUPPORT_LIBRARY) $(LIBRARY)
	$(call say,LINK,$@)
	$(quiet)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CMOCKA_LIBS) $(PACKAGE_LIBS)

$(SCENARIO_PROGRAMS): %: %.o $(SUPPORT_LIBRARY) $(LIBRARY)
	$(call say,LINK,$@)
	$(quiet)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(CMOCKA_LIBS) $(PACKAGE_LIBS)

# In this one, calls of these and of what changes the disk go through the injector.
WRAPPED := memory_new memory_reserve memory_copy memory_copy_string memory_printf
$(B)/tests/scenario/fault_injection: $(B)/tests/inject/injector.o
$(B)/tests/scenario/fault_injection: LDFLAGS += $(WRAPPED:%=-Wl,--wrap=%)

-include $(patsubst %.c,$(B)/%.d,$(SCENARIOS) $(wildcard tests/inject/*.c))

$(FUZZ_PROGRAMS): %: %.o $(B)/tests/fuzz/corpus_replay.o $(SUPPORT_LIBRARY) $(LIBRARY)
	$(call say,LINK,$@)
	$(quiet)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PACKAGE_LIBS)

$(FUZZ_PROGRAMS:%_fuzz=%_fuzzer): %_fuzzer: %_fuzz.o $(SUPPORT_LIBRARY) $(LIBRARY)
	$(call say,LINK,$@)
	$(quiet)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(PACKAGE_LIBS)

$(BENCH_PROGRAMS): %: %.o $(SUPPORT_LIBRARY) $(LIBRARY)
	$(call say,LINK,$@)
	$(quiet)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PACKAGE_LIBS)

# In this one, whoever asks for the source of keys gets another.
$(PRIME_SERVER:%.c=$(B)/%): %: %.o $(B)/api/server/main.o $(SUPPORT_LIBRARY) $(LIBRARY)
	$(call say,LINK,$@)
	$(quiet)$(CC) $(ALL_LDFLAGS) -Wl,--wrap=rsa_key_source -o $@ $^ $(PACKAGE_LIBS)

$(B)/tests/check/mutation_run: $(CHECKER_PARTS:%.c=$(B)/%.o)
$(CHECKER_PROGRAMS): %: %.o $(SUPPORT_LIBRARY) $(LIBRARY)
	$(call say,LINK,$@)
	$(quiet)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(SUPPORT_LIBRARY) $(LIBRARY) $(CMOCKA_LIBS) $(PACKAGE_LIBS)

$(B)/%.o: %.c $(B)/flags | $(GENERATED:.c=.h)
	$(call say,CC,$<)
	$(quiet)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/generated/%.o: $(B)/generated/%.c $(B)/flags
	$(call say,CC,$<)
	$(quiet)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The generators leave a file alone that would not change, so that one new query doesn't compile everything again.
$(GENERATED) $(GENERATED:.c=.h): $(B)/generated/done ;
$(B)/generated/done: scripts/embed-sql scripts/embed-assets $(SQL) $(wildcard api/openapi.json) $(B)/inputs
	$(call say,EMBED,db/schema db/queries api/openapi.json)
	$(quiet)mkdir -p $(@D) && scripts/embed-sql $(@D) && scripts/embed-assets $(@D) && touch $@

# Two files that change only when the flags do, or when a source came or went.
remember = $(quiet)mkdir -p $(@D) && if ! printf '%s\n' '$(1)' | cmp -s - $@; then printf '%s\n' '$(1)' >$@; fi
$(B)/flags: FORCE
	$(call remember,$(CC) $(ALL_CFLAGS))
$(B)/inputs: FORCE
	$(call remember,$(INPUTS))

-include $(LIBRARY_OBJECTS:.o=.d) $(MAINS:%.c=$(B)/%.d)
-include $(patsubst %.c,$(B)/%.d,$(UNITS) $(SUPPORT) $(FUZZERS) $(BENCHES) $(PRIME_SERVER) $(CHECKERS) $(CHECKER_PARTS))
