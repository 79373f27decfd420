# What looks closer than a plain run of the tests does; included by the Makefile. Each has a build of its own below $(BUILD).

# Makes targets again in a build of their own: its name, its CFLAGS, the targets.
make_again = $(MAKE) --no-print-directory BUILD=$(BUILD)/$(1) CFLAGS='$(2)' WERROR=$(WERROR) $(3)
asan_flags := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,float-cast-overflow,float-divide-by-zero \
              -fno-sanitize-recover=all
tsan_flags := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
sanitizer_options := ASAN_OPTIONS=strict_string_checks=1:detect_stack_use_after_return=1 \
                     UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=second_deadlock_stack=1

# Those in which many threads are at the same things.
concurrent_tests := $(addprefix $(tests)/integration/test_,concurrency in_flight reload)

.PHONY: check-sanitizers check-asan check-ubsan check-tsan check-concurrency check-helgrind
# The part that CI has time for.
check-sanitizers:
	+$(Q)$(sanitizer_options) $(call make_again,asan,$(asan_flags),check-unit check-replay)
	+$(Q)$(sanitizer_options) $(call make_again,tsan,$(tsan_flags),check-concurrency)

# One build has both.
check-asan check-ubsan &:
	+$(Q)$(sanitizer_options) $(call make_again,asan,$(asan_flags),check-unit check-model check-replay check-integration)

# Faults, with an eye on what is left behind.
.PHONY: check-fault
check-fault:
	+$(Q)$(sanitizer_options) $(call make_again,asan,$(asan_flags),fault-tests)

check-tsan:
	+$(Q)$(sanitizer_options) $(call make_again,tsan,$(tsan_flags),check-unit check-integration)

check-concurrency: all $(concurrent_tests)
	$(Q)$(call run_each,$(concurrent_tests))

# What ThreadSanitizer cannot see, because it was not built with it: the insides of libraries, and what they do to ours. Not
# optimized, so that the functions named by the suppressions are there.
helgrind := valgrind --tool=helgrind --quiet --error-exitcode=99 --vgdb=no --suppressions=$(CURDIR)/tests/helgrind.supp
check-helgrind: deps
	+$(Q)export HOST_WRAPPER='$(helgrind)'; $(call make_again,helgrind,-O0 -g,check-integration)

# Users in great numbers for SOAK_SECONDS, a minute if not given, over a host and plugin that are stopped and started again:
# tests/soak/soak.c. What AddressSanitizer keeps of freed memory is bounded, or it would be taken for growth.
.PHONY: soak run-soak
soak: deps
	+$(Q)ASAN_OPTIONS=quarantine_size_mb=16:malloc_context_size=10 \
	    $(call make_again,asan,$(asan_flags),run-soak)

run-soak: $(BUILD)/plugins/mfa.so $(tests)/soak/soak
	$(Q)BUILD=$(BUILD) $(tests)/soak/soak 2> $(BUILD)/soak.log || { tail -n 60 $(BUILD)/soak.log; exit 1; }

# clang-tidy, cppcheck and gcc's analyzer over the product and the sample host; tests/lint/accepted has what they find all
# the same.
.PHONY: lint
lint: deps
	$(Q).ci/install-dependencies clang clang-tidy cppcheck
	$(Q)tests/lint/run $(BUILD)/lint '$(call cflags_of,$(test_libs))'

# Lines and branches of the product that the tests reach. A host that was killed has counted nothing.
coverage_flags := -O0 -g --coverage -fprofile-update=atomic
coverage_tests := check-unit check-model abi-tests check-replay check-tool fault-tests check-integration attack
.PHONY: coverage abi-tests
abi-tests: all $(abi_tests) $(test_plugins)
	$(Q)$(call run_each,$(abi_tests))

coverage: deps
	$(Q).ci/install-dependencies gcovr
	$(Q)find $(BUILD)/covered -name '*.gcda' -delete 2>/dev/null || true
	+$(Q)$(call make_again,covered,$(coverage_flags),$(coverage_tests))
	$(Q)tests/coverage/report $(BUILD)/covered $(BUILD)/coverage

# Fuzzing, tests/fuzz/README.md: FUZZ_TARGETS for FUZZ_SECONDS each, with what they link built again by clang. -j runs as many
# at once.
FUZZ_SECONDS ?= 600
FUZZ_TARGETS ?= $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz_flags := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
fuzz_programs := $(FUZZ_TARGETS:%=$(tests)/fuzz/fuzz_%)

$(BUILD)/obj/tests/fuzz/%.o: includes := -Isrc -Itests -Itests/fakes -Itests/integration -Itests/replay
$(BUILD)/obj/tests/fuzz/fuzz_host_%.o: includes := -Ihost-api -Isample-host -Itests/fuzz
$(tests)/libfuzz.a: $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out tests/fuzz/fuzz_%,$(wildcard tests/fuzz/*.c)))
# In this order: what stands in libfuzz.a takes the place of what is named the same in the library.
$(fuzz_programs): $(tests)/libfuzz.a $(tests)/libreplay.a $(tests)/libfakes.a $(BUILD)/libmfacore.a \
                  $(BUILD)/libsamplehost.a
$(fuzz_programs): wraps := -fsanitize=fuzzer
$(tests)/fuzz/fuzz_host_request: wraps += -Wl,--wrap=storage_find_user,--wrap=storage_find_access \
    -Wl,--wrap=exchange_fail,--wrap=MHD_lookup_connection_value,--wrap=MHD_get_connection_values_n \
    -Wl,--wrap=MHD_get_connection_info

.PHONY: fuzz check-fuzz $(FUZZ_TARGETS:%=run-fuzz-%)
fuzz: deps
	$(Q).ci/install-dependencies clang libclang-rt-dev
	+$(Q)$(sanitizer_options) $(call make_again,fuzz,$(fuzz_flags),CC=clang FUZZ_SECONDS=$(FUZZ_SECONDS) $(FUZZ_TARGETS:%=run-fuzz-%))

# The corpus again, and a moment more.
check-fuzz: FUZZ_SECONDS := 2
check-fuzz: fuzz

$(FUZZ_TARGETS:%=run-fuzz-%): run-fuzz-%: $(tests)/fuzz/fuzz_%
	$(Q)tests/fuzz/run $(BUILD) $* $(FUZZ_SECONDS)
