# How the tests are built and run; included by the Makefile.

tests := $(BUILD)/tests
comma := ,
valgrind := valgrind --quiet --leak-check=full --show-leak-kinds=definite,indirect,possible \
            --errors-for-leak-kinds=definite,indirect,possible --track-fds=yes --error-exitcode=99 --vgdb=no

unit_tests := $(patsubst tests/%.c,$(tests)/%,$(wildcard tests/unit/test_*.c))
abi_tests := $(patsubst tests/%.c,$(tests)/%,$(wildcard tests/abi/test_*.c))
host_tests := $(patsubst tests/%.c,$(tests)/%,$(wildcard tests/host/test_*.c))
integration_tests := $(patsubst tests/%.c,$(tests)/%,$(wildcard tests/integration/test_*.c))
attack_tests := $(patsubst tests/%.c,$(tests)/%,$(wildcard tests/attack/test_*.c))
check_tests := $(patsubst tests/%.c,$(tests)/%,$(wildcard tests/check/test_*.c))
model_tests := $(patsubst tests/%.c,$(tests)/%,$(wildcard tests/model/test_*.c))
replay_tests := $(patsubst tests/%.c,$(tests)/%,$(wildcard tests/replay/test_*.c))
fault_tests := $(patsubst tests/%.c,$(tests)/%,$(wildcard tests/fault/test_*.c))
example_objects := $(call objects_in,docs/examples)
test_plugins := $(patsubst tests/%.c,$(tests)/%.so,$(wildcard tests/abi/plugins/*.c tests/abi/frozen-1.0/*.c \
                                                     tests/host/plugins/*.c))

$(BUILD)/obj/tests/unit/%.o $(BUILD)/obj/tests/fakes/%.o $(BUILD)/obj/tests/fault/%.o: includes := -Isrc -Itests -Itests/fakes
$(BUILD)/obj/tests/model/%.o: includes := -Isrc -Itests/fakes
# The ABI tests are a host as version 1.0 had it.
$(BUILD)/obj/tests/abi/%.o: includes := -Itests/abi/frozen-1.0 -Itests/integration
$(BUILD)/obj/tests/host/%.o: includes := -Ihost-api -Isample-host -Itests
$(BUILD)/obj/tests/integration/%.o: includes := -Ihost-api -Itests -Itests/integration
$(BUILD)/obj/tests/attack/%.o: includes := -Itests/integration
$(BUILD)/obj/tests/check/%.o: includes := -Isrc -Itests -Itests/fakes -Itests/integration
$(BUILD)/obj/tests/replay/%.o: includes := -Isrc -Itests -Itests/fakes -Itests/integration

# A host that has a use for every argument is not minimal.
$(BUILD)/obj/docs/examples/%.o: includes := -Ihost-api -Wno-unused-parameter

$(tests)/libfakes.a: $(call objects_in,tests/fakes)
$(tests)/libharness.a: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/integration/harness*.c) \
                        sample-host/gateway/hold.c)
$(tests)/libreplay.a: $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out tests/replay/test_%,$(wildcard tests/replay/*.c)))

$(unit_tests): $(tests)/libfakes.a $(BUILD)/libmfacore.a
$(host_tests): $(BUILD)/libsamplehost.a
$(abi_tests): $(BUILD)/obj/tests/abi/nothing.o
$(abi_tests) $(integration_tests): $(tests)/libharness.a
$(attack_tests): $(BUILD)/obj/tests/attack/attack.o $(tests)/libharness.a
$(check_tests): $(BUILD)/obj/tests/check/checked.o $(BUILD)/obj/tests/replay/recording.o $(tests)/libfakes.a \
                $(tests)/libharness.a $(BUILD)/libmfacheck.a $(BUILD)/libmfacore.a
# Its own workers come first, so that those of the archive are left out.
$(model_tests): $(filter-out $(BUILD)/obj/tests/model/test_%,$(call objects_in,tests/model)) $(tests)/libfakes.a \
                $(BUILD)/libmfacore.a
$(model_tests): wraps := $(addprefix -Wl$(comma)--wrap=,pthread_mutex_lock mfa_session_match mfa_core_settings \
    $(addprefix mfa_profile_,find_recovery_code consume recover) \
    $(addprefix mfa_sessions_,has user_data challenge match set_challenge begin_send add_code end_send \
                              reserve_attempt fail_attempt return_attempt take drop put_back use_up) \
    $(addprefix mfa_throttle_,knows is_stopped is_stored))
$(replay_tests): $(tests)/libreplay.a $(tests)/libfakes.a $(tests)/libharness.a $(BUILD)/libmfacore.a
$(replay_tests): wraps := -Wl,--wrap=curl_easy_init -Wl,--wrap=curl_easy_setopt
# Objects instead of an archive, of which the linker would leave out what only --wrap leads to.
$(fault_tests): $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out tests/fault/test_%,$(wildcard tests/fault/*.c))) \
                $(tests)/libfakes.a $(BUILD)/libmfacore.a tests/fault/wrapped.txt
$(BUILD)/obj/tests/fault/test_plugin.o: includes += -Ihost-api
$(tests)/fault/test_plugin: $(plugin_objects)
$(fault_tests): wraps = $(addprefix -Wl$(comma)--wrap=,$(file < tests/fault/wrapped.txt))
$(tests)/%: $(BUILD)/obj/tests/%.o
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(link) $(wraps) -pie -o $@ $(filter %.o,$^) $(filter %.a,$^) $(call libs_of,$(test_libs)) -ldl

# Plugins for the tests see nothing but the host API, as any plugin does.
$(tests)/%.so: api := host-api
$(tests)/abi/frozen-1.0/%.so: api := tests/abi/frozen-1.0
$(tests)/%.so: tests/%.c $(wildcard host-api/*.h tests/abi/*/*.h)
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(compile) -I$(api) -shared -o $@ $<

# g++ takes the visibility from the header's declaration, and warns of the definition's, which it ignores.
$(tests)/abi/plugins/in_cpp.so: tests/abi/plugins/in_cpp.cc $(wildcard host-api/*.h)
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CXX) -std=c++11 -fPIC -fvisibility=hidden -Wall -Wextra -Wno-attributes $(if $(WERROR),-Werror) -Ihost-api -shared \
	    -o $@ $<

# Built to be compared, and nothing without debug information.
$(BUILD)/abi_witness.so: host-api/abi_witness.c $(wildcard host-api/*.h)
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(compile) -g -Ihost-api -shared -o $@ $<

.PHONY: tests
tests: $(unit_tests) $(host_tests) $(abi_tests) $(integration_tests) $(attack_tests) $(replay_tests) $(model_tests) \
       $(check_tests) $(fault_tests) $(test_plugins) $(example_objects)

.PHONY: test check-unit check-model check-abi check-reproducible check-replay check-tool check-docs check-install
.PHONY: fault-tests check-integration check-integration-valgrind attack
test: deps
	$(Q)$(MAKE) --no-print-directory check-unit check-model check-abi check-replay check-tool check-docs check-install \
	    fault-tests check-integration attack check-integration-valgrind
	@echo 'all tests passed'

# The tests find their data below tests/ and what was built in $$BUILD.
run_each = for t in $(1); do BUILD=$(BUILD) $$t || exit 1; done

check-unit: all $(unit_tests) $(host_tests) $(test_plugins)
	$(Q)$(call run_each,$(unit_tests) $(host_tests))

check-abi: all $(abi_tests) $(test_plugins) $(tests)/abi/plugins/in_cpp.so $(BUILD)/abi_witness.so
	$(Q).ci/install-dependencies abigail-tools
	$(Q)cd tests/abi/frozen-1.0 && sha256sum --check --quiet SHA256SUMS
	$(Q)tests/abi/check-witness $(BUILD)/abi_witness.so
	$(Q)tests/abi/check-exports $(BUILD)/plugins/mfa.so
	$(Q)tests/abi/check-exports $(tests)/abi/plugins/in_cpp.so
	$(Q)tests/abi/check-hardening $(BUILD)/plugins/mfa.so $(BUILD)/mfa-check $(BUILD)/sample-host \
	    $(BUILD)/sms-gateway
	$(Q)$(call run_each,$(abi_tests))

check-reproducible:
	$(Q)tests/abi/check-reproducible

# The operator's tool, mfa-check.
check-tool: all $(check_tests)
	$(Q)$(call run_each,$(check_tests))

# A folder of libraries as Debian has them, with the machine's kind in its name.
installed := $(abspath $(BUILD))/installed
check-install: all
	$(Q)rm -rf $(installed)
	+$(Q)$(MAKE) -s install PREFIX=/usr/local LIBDIR=/usr/local/lib/a-machine DESTDIR=$(installed) >/dev/null
	$(Q)tests/deb/check-install $(installed) /usr/local/lib/a-machine

# The documents: every example in them is tried, and every key of the configuration is in them.
check-docs: all $(example_objects)
	$(Q).ci/install-dependencies mandoc
	$(Q)BUILD=$(BUILD) tests/docs/check
	$(Q)BUILD=$(BUILD) tests/docs/check-keys

# What real services were sent and answered, tests/data/providers/README.md, through the engine.
check-replay: $(replay_tests)
	$(Q)$(call run_each,$(replay_tests))

# Whatever can fail fails once, tests/fault/README.md.
fault-tests: $(fault_tests)
	$(Q)$(call run_each,$(fault_tests))

check-integration: all $(integration_tests) $(test_plugins)
	$(Q)$(call run_each,$(integration_tests))

# Requests to one account at once, in every order, tests/model/README.md: any two, or any MODEL_CALLERS=3, which takes long.
check-model: $(model_tests)
	$(Q)$(call run_each,$(model_tests))

# The same once more, with the sample host and the plugin in it under valgrind.
check-integration-valgrind: all $(integration_tests) $(test_plugins)
	$(Q)export HOST_WRAPPER='$(valgrind)'; $(call run_each,$(integration_tests))

# The suite of attacks, tests/attack/README.md. Not under valgrind: it floods and looks into the host's memory, and
# the paths it takes are those of the integration tests.
attack: all $(attack_tests)
	$(Q)$(call run_each,$(attack_tests))

# Pryv.io's own client, and the sample host's page in Chromium. Not part of `make test`: it takes what npm has to offer on
# that day, and a browser.
npm = npm --prefix tests/e2e --no-audit --no-fund --ignore-scripts --loglevel=error
tests/e2e/node_modules: tests/e2e/package-lock.json
	$(Q)command -v npm > /dev/null || .ci/install-dependencies nodejs npm
	$(Q)$(npm) ci
	$(Q)touch $@

.PHONY: e2e
e2e: deps
	$(Q).ci/install-dependencies chromium
	$(Q)$(MAKE) --no-print-directory all tests/e2e/node_modules
	$(Q)tests/e2e/run $(BUILD)

# `make soak` runs it, tests/checks.mk.
$(BUILD)/obj/tests/soak/%.o: includes := -Ihost-api -Isample-host -Itests/integration
# The host comes first, whose functions the harness for a host of its own has too.
$(tests)/soak/soak: $(call objects_in,tests/soak) $(BUILD)/libsamplehost.a $(tests)/libharness.a
$(tests)/soak/soak: wraps := $(addprefix -Wl$(comma)--wrap=calls_,open complete abandon)

# Measurements, not tests: tests/bench/README.md.
bench_programs := $(patsubst tests/%.c,$(tests)/%,$(wildcard tests/bench/bench_*.c))
$(BUILD)/obj/tests/bench/%.o: includes := -Isrc -Ihost-api -Isample-host -Itests -Itests/integration
$(tests)/libbench.a: $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out tests/bench/bare_server.c tests/bench/bench_%,\
                      $(wildcard tests/bench/*.c)))
$(bench_programs): $(tests)/libbench.a
$(filter $(tests)/bench/bench_http%,$(bench_programs)): $(tests)/libharness.a | $(tests)/bench/bare_server
$(filter-out $(tests)/bench/bench_http%,$(bench_programs)): $(BUILD)/libsamplehost.a $(BUILD)/libmfacore.a
$(tests)/bench/bench_start: wraps := -Wl,--wrap=dlopen
$(tests)/bench/bench_tls: wraps := -Wl,--wrap=curl_easy_init

.PHONY: bench
bench: deps
	$(Q).ci/install-dependencies gnuplot-nox nghttp2-server
	$(Q)$(MAKE) --no-print-directory all $(bench_programs)
	$(Q){ $(call run_each,$(bench_programs)); } > $(BUILD)/bench.lines
	$(Q)tests/bench/report $(BUILD)

# Prometheus' own opinion of the metrics and of the rules over them.
.PHONY: check-promtool
check-promtool: all
	$(Q).ci/install-dependencies prometheus
	$(Q)BUILD=$(BUILD) tests/integration/check-promtool

# Whether the packages can be made twice, and work where nothing else is installed. Not in CI: it takes minutes, root and a
# mirror of Debian.
.PHONY: check-deb
check-deb:
	$(Q)[ "$$(id -u)" -eq 0 ] || \
	    { echo 'check-deb installs packages in a chroot, as only root can: sudo make check-deb' >&2; exit 1; }
	$(Q)$(MAKE) --no-print-directory deb
	$(Q).ci/install-dependencies debootstrap
	$(Q)tests/deb/check-reproducible $(BUILD)/deb $(VERSION)
	$(Q)tests/deb/check-chroot $(BUILD)/deb $(BUILD)/chroot
