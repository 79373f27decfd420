# mfa.so, its host API, and a sample host.
#
#   make            build everything into build/
#   make demo       see the main job done, step by step, in both modes
#   make run        leave the stand-in SMS gateway and the sample host running
#   make test       unit, ABI and integration tests, and the latter again under valgrind
#   make e2e        Pryv.io's own client, and the sample host's page in a real browser
#   make install    PREFIX=, LIBDIR=, LIBEXECDIR= and DESTDIR= as usual
#   make deb        packages of the last commit for Debian
#
# V=1 shows the commands, WERROR=1 makes warnings errors. CC, CFLAGS and LDFLAGS are yours; what the code needs is added.

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
LIBEXECDIR ?= $(PREFIX)/libexec
CFLAGS ?= -O2 -g
BUILD ?= build
PKG_CONFIG ?= pkg-config
CLANG_FORMAT ?= clang-format
VERSION := 0.1.0

core_libs := libcurl yaml-0.1 jansson libsodium libpcre2-8 libmd
host_libs := libmicrohttpd sqlite3 yaml-0.1 jansson libsodium
test_libs := cmocka libmicrohttpd sqlite3 $(core_libs)

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-6s %s\n'
endif

warnings := -Wall -Wextra -Wconversion -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
            -Wpointer-arith -Wwrite-strings -Wcast-qual -Wundef -Wdate-time $(if $(WERROR),-Werror)
# Sanitizers look at each access themselves, and at overflows only as long as these are not defined.
hardening := -fstack-protector-strong -fstack-clash-protection -fcf-protection \
             $(if $(filter -O0 -fsanitize%,$(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2) \
             $(if $(filter -fsanitize%,$(CFLAGS)),,-fno-strict-overflow)
# The folder it was built in leaves no trace, and neither does the date or the order of files: `make check-reproducible`.
compile = $(CC) -std=c11 -D_GNU_SOURCE -DMFA_VERSION='"$(VERSION)"' -fPIC -fvisibility=hidden -pthread \
          -ffile-prefix-map='$(CURDIR)=.' $(warnings) $(hardening) -MMD -MP $(CFLAGS) $(CPPFLAGS)
link = $(CC) -pthread $(CFLAGS) $(LDFLAGS) -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
# Asked when a recipe runs, not when this file is read: `make deps` may have to install pkg-config first.
cflags_of = $(shell $(PKG_CONFIG) --cflags $(1))
libs_of = $(shell $(PKG_CONFIG) --libs $(1))

objects_in = $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard $(1)/*.c)))
core_objects := $(call objects_in,src)
plugin_objects := $(call objects_in,plugin)
check_objects := $(call objects_in,plugin/mfa-check)
host_objects := $(call objects_in,sample-host)
gateway_objects := $(call objects_in,sample-host/gateway)

.PHONY: all
all: $(BUILD)/plugins/mfa.so $(BUILD)/mfa-check $(BUILD)/sample-host $(BUILD)/sms-gateway $(BUILD)/obj/host-api/layout_v1.o \
     $(BUILD)/obj/host-api/layout_v1_1.o

$(BUILD)/obj/src/%.o: includes := -Isrc
$(BUILD)/obj/plugin/%.o: includes := -Ihost-api -Isrc
$(BUILD)/obj/sample-host/%.o: includes := -Ihost-api -Isample-host
$(BUILD)/obj/host-api/%.o: includes := -Ihost-api
$(BUILD)/obj/%.o: %.c
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(compile) $(includes) $(call cflags_of,$(test_libs)) -c -o $@ $<

$(BUILD)/obj/sample-host/page_files.o: $(wildcard sample-host/page/*)

# Where presets are looked for is compiled in, so another PREFIX means to compile these files again.
know_presets := $(BUILD)/obj/src/mfa_config.o $(BUILD)/obj/plugin/mfa-check/subject.o
$(know_presets): includes += -DMFA_PRESETS_DIR='"$(PREFIX)/share/mfa/presets"'
$(know_presets): $(BUILD)/prefix
.PHONY: prefix-may-have-changed
$(BUILD)/prefix: prefix-may-have-changed
	@mkdir -p $(@D)
	@echo '$(PREFIX)' | cmp -s - $@ || echo '$(PREFIX)' > $@

$(BUILD)/libmfacore.a: $(core_objects)
$(BUILD)/libmfacheck.a: $(filter-out %/main.o,$(check_objects))
$(BUILD)/libsamplehost.a: $(filter-out %/main.o,$(host_objects))
$(BUILD)/%.a: Makefile tests/tests.mk
	$(say) AR $@
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcsD $@ $(filter %.o,$^)

# The whole archive goes in: what is tested is what is shipped. Once loaded it stays (nodelete): after a time-out, a thread
# of libcurl's may still be resolving a name when the host unloads the plugin, and needs the code it runs. A host loads what
# nobody else can write, whatever the umask is here.
$(BUILD)/plugins/mfa.so: $(plugin_objects) $(BUILD)/libmfacore.a plugin/mfa.map
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(link) -shared -Wl,-z,defs,-z,nodelete -Wl,--version-script=plugin/mfa.map -o $@ $(plugin_objects) \
	    -Wl,--whole-archive $(BUILD)/libmfacore.a -Wl,--no-whole-archive $(call libs_of,$(core_libs))
	$(Q)chmod go-w $@ $(@D)

$(BUILD)/mfa-check: $(BUILD)/obj/plugin/mfa-check/main.o $(BUILD)/libmfacheck.a $(BUILD)/libmfacore.a
	$(say) LD $@
	$(Q)$(link) -pie -o $@ $^ $(call libs_of,$(core_libs))

$(BUILD)/sample-host: $(BUILD)/obj/sample-host/main.o $(BUILD)/libsamplehost.a
	$(say) LD $@
	$(Q)$(link) -pie -o $@ $^ $(call libs_of,$(host_libs)) -ldl

$(BUILD)/sms-gateway: $(gateway_objects)
	$(say) LD $@
	$(Q)$(link) -pie -o $@ $^ $(call libs_of,libmicrohttpd jansson libsodium)

include tests/tests.mk
include tests/checks.mk

.PHONY: deps demo run install format check-format clean
deps:
	$(Q).ci/install-dependencies

demo: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)sample-host/demo $(BUILD)

run: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)sample-host/run $(BUILD)

# The sample host's folder looks as $(BUILD) does: the host finds its plugins in it, and the demonstration all it shows.
host_dir = $(DESTDIR)$(LIBEXECDIR)/sample-host
api_version = $(shell awk '/define CORE_API_M(AJ|IN)OR/ {print $$3}' host-api/core_plugin.h | paste -sd.)
install: all
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/include host-api/core_*.h
	install -D -m 644 -t $(DESTDIR)$(LIBDIR)/core-plugins $(BUILD)/plugins/mfa.so
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/mfa/presets plugin/presets/*.yml
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $(BUILD)/mfa-check
	install -D -m 755 -t $(host_dir) $(BUILD)/sample-host $(BUILD)/sms-gateway sample-host/demo sample-host/run
	install -D -m 644 -t $(host_dir) sample-host/stage.sh
	install -D -m 644 -t $(host_dir)/config sample-host/config/*.yml
	ln -sfnr $(DESTDIR)$(LIBDIR)/core-plugins $(host_dir)/plugins
	ln -sfnr $(host_dir)/sample-host $(DESTDIR)$(PREFIX)/bin/sample-host
	for page in docs/man/*; do \
	    install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man$${page##*.} $$page || exit 1; done
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@VERSION@|$(api_version)|' \
	    host-api/core-plugin.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/core-plugin.pc

.PHONY: deb
deb:
	$(Q).ci/install-dependencies debhelper lintian
	$(Q)plugin/debian/build $(BUILD)/deb $(VERSION)
	$(Q)lintian --allow-root --fail-on error,warning $(BUILD)/deb/*.changes
	@echo 'the packages are in $(BUILD)/deb'

sources = $(shell git ls-files -co --exclude-standard '*.c' '*.h')
format:
	$(Q)$(CLANG_FORMAT) -i $(sources)

check-format:
	$(Q)$(CLANG_FORMAT) --dry-run --Werror $(sources)

clean:
	$(Q)rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
