/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the configuration, starting and stopping, with the first, the second, ... the last thing that is needed failing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"
#include "flow_fixture.h"
#include "folder.h"
#include "mfa_config.h"

/* --- The configuration ---------------------------------------------------------------------------------------------- */

#define PRESET                                                                                                         \
    "title: A service\n"                                                                                               \
    "parameters:\n"                                                                                                    \
    "  account: the account\n"                                                                                         \
    "  channel: {description: how, default: sms}\n"                                                                    \
    "endpoints:\n"                                                                                                     \
    "  challenge:\n"                                                                                                   \
    "    url: 'https://api.example.org/${param:account}/codes'\n"                                                      \
    "    form: {To: '{{ phone | e164 }}', Channel: '${param:channel}'}\n"                                              \
    "    capture: {requestId: 'header:X-Request-Id'}\n"                                                                \
    "  verify:\n"                                                                                                      \
    "    url: 'https://api.example.org/${param:account}/codes/{{ requestId }}'\n"                                      \
    "    body: {code: '{{ code }}'}\n"                                                                                 \
    "    expect: {json: {/status: approved}}\n"

/* Nearly all there is to configure; %s is the folder. */
#define SINGLE                                                                                                         \
    "mode: single\n"                                                                                                   \
    "sms:\n"                                                                                                           \
    "  messages: {en: 'Your code is {{ code }}', fr: 'Votre code est {{ code }}'}\n"                                   \
    "  webOtpDomain: example.com\n"                                                                                    \
    "  endpoints:\n"                                                                                                   \
    "    single:\n"                                                                                                    \
    "      url: 'https://sms.example.com/messages'\n"                                                                  \
    "      form: {To: '{{ phone | e164 }}', Text: '{{ message }}'}\n"                                                  \
    "      sign: {aws4: {region: r, service: s, accessKeyId: a, secretAccessKey: '${file:%s/key}'}}\n"
#define CHALLENGE_VERIFY                                                                                               \
    "mode: challenge-verify\n"                                                                                         \
    "presetsDirectory: '%s'\n"                                                                                         \
    "sessions: {ttlSeconds: 900, maxPending: 1000}\n"                                                                  \
    "attempts: {perSession: 3, backoff: {freeFailures: 1}}\n"                                                          \
    "stepUp: {required: true}\n"                                                                                       \
    "recovery: {mode: consume}\n"                                                                                      \
    "sms:\n"                                                                                                           \
    "  codeLength: 8\n"                                                                                                \
    "  endpoints:\n"                                                                                                   \
    "    challenge:\n"                                                                                                 \
    "      url: 'https://api.example.com/codes/{{ phone }}'\n"                                                         \
    "      query: {lang: '{{ language }}'}\n"                                                                          \
    "      headers: {x-key: '${file:%s/key}', content-type: application/json}\n"                                       \
    "      auth: {oauth2: {tokenUrl: 'https://auth.example.com/token', clientId: id, clientSecret: secret}}\n"         \
    "      body: '{\"to\":\"{{ phone }}\",\"text\":\"{{ message }}\",\"nonce\":\"{{ nonce }}\"}'\n"                    \
    "      capture: {requestId: /id}\n"                                                                                \
    "      expect: {status: [200, 201], json: {/state: {in: [sent, queued]}, /to: '{{ phone }}'}}\n"                   \
    "      outcomes: [{when: {status: 4xx, text: '^(busy|later)$'}, is: throttled}]\n"                                 \
    "      retryAfter: /wait\n"                                                                                        \
    "      fallback: [{preset: service, parameters: {account: 17}}]\n"                                                 \
    "    verify:\n"                                                                                                    \
    "      url: 'https://api.example.com/codes/{{ requestId }}/check'\n"                                               \
    "      auth: {basic: {user: u, password: p}}\n"                                                                    \
    "      body: {code: '{{ code }}', nonce: '{{ nonce }}'}\n"                                                         \
    "      expect: {json: {/status: {matches: '^ok+$'}}}\n"                                                            \
    "      fallback: [{preset: service, parameters: {account: a1}}]\n"

struct desk {
    struct folder folder;
    char texts[2][8192];
    const char *text; /* one of them */
};

static int set_desk(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);

    assert_non_null(desk);
    folder_init(&desk->folder);
    folder_write(&desk->folder, "service.yml", PRESET);
    folder_write(&desk->folder, "key", "a-key-of-some-length\n");
    snprintf(desk->texts[0], sizeof desk->texts[0], SINGLE, desk->folder.path);
    snprintf(desk->texts[1], sizeof desk->texts[1], CHALLENGE_VERIFY, desk->folder.path, desk->folder.path);
    desk->text = desk->texts[1];
    *state = desk;
    return 0;
}

static int clear_desk(void **state)
{
    struct desk *desk = *state;

    folder_clear(&desk->folder);
    free(desk);
    return 0;
}

static void say(void *ctx, bool is_error, const char *line)
{
    if (is_error && ctx != NULL)
        print_error("%s\n", line);
}

static enum mfa_status parse(struct mfa_config *config, const struct desk *desk, void *ctx)
{
    const struct mfa_config_source source = {
        .text = desk->text, .text_len = strlen(desk->text), .section = "services.mfa", .file = "test.yml"};

    return mfa_config_parse(config, &source, say, ctx);
}

static bool configure(void *state, const struct fault *fault)
{
    static const struct mfa_config zeroed;
    struct mfa_config config;
    enum mfa_status status = MFA_OK;
    bool was_met = false;

    fault_arm(fault);
    status = parse(&config, state, NULL);
    was_met = fault_disarm();
    if (was_met) {
        FAULT_EXPECT(fault, status == (fault->kind == FAULT_MEMORY ? MFA_ERR_MEMORY : MFA_ERR_CONFIG));
        FAULT_EXPECT(fault, memcmp(&config, &zeroed, sizeof config) == 0);
    } else {
        FAULT_EXPECT(fault, status == MFA_OK);
    }
    mfa_config_clear(&config);
    return was_met;
}

static void a_configuration_is_read_whole_or_refused(void **state)
{
    struct desk *desk = *state;

    for (size_t i = 0; i < 2; i++) {
        desk->text = desk->texts[i];
        fault_exhaust(state, FAULT_MEMORY, configure);
        fault_exhaust(state, FAULT_IO, configure);
    }
}

/* --- Starting and stopping ------------------------------------------------------------------------------------------ */

struct parts {
    struct fake_host host;
    struct fake_gateway gateway;
    struct fake_kv kv;
};

static enum mfa_status start(struct mfa_core **core, struct parts *parts, struct mfa_config *config)
{
    struct mfa_host_port host = fake_host_port(&parts->host);
    struct mfa_gateway_port gateway = fake_gateway_port(&parts->gateway);
    struct mfa_kv_port kv = fake_kv_port(&parts->kv);

    return mfa_core_new(core, &host, &gateway, &kv, config);
}

static bool start_core(void *state, const struct fault *fault)
{
    struct parts *parts = calloc(1, sizeof *parts);
    struct mfa_core *core = NULL;
    struct mfa_config config;
    enum mfa_status status = MFA_OK;
    bool was_met = false;

    assert_non_null(parts);
    fake_host_init(&parts->host);
    fake_gateway_init(&parts->gateway);
    fake_kv_init(&parts->kv);
    assert_int_equal(parse(&config, state, &config), MFA_OK);
    fault_arm(fault);
    status = start(&core, parts, &config);
    was_met = fault_disarm();
    FAULT_EXPECT(fault, was_met == (status != MFA_OK) && was_met == (core == NULL));
    FAULT_EXPECT(fault, config.mode == MFA_MODE_DISABLED); /* it was transferred */
    mfa_core_free(core);
    fake_kv_clear(&parts->kv);
    fake_gateway_clear(&parts->gateway);
    fake_host_clear(&parts->host);
    free(parts);
    return was_met;
}

static void a_core_starts_whole_or_not_at_all(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_MEMORY, FAULT_THREAD, FAULT_CLOCK,
                                            FAULT_RANDOM, FAULT_LOAD,   FAULT_STORE};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        fault_exhaust(state, kinds[i], start_core);
}

static bool reconfigure_core(void *state, const struct fault *fault)
{
    struct fixture *fixture = fixture_restart(&state, FIXTURE_SINGLE("", ""));
    const char *yaml = FIXTURE_SINGLE_LIMITED("  sendLimits: {perDay: 7}\n", "");
    const struct mfa_config_source source = {
        .text = yaml, .text_len = strlen(yaml), .section = "services.mfa", .file = "test.yml"};
    const struct mfa_settings *before = fixture->core->settings;
    struct mfa_config config;
    enum mfa_status status = MFA_OK;
    bool was_met = false;

    assert_int_equal(mfa_config_parse(&config, &source, say, &config), MFA_OK);
    fault_arm(fault);
    status = mfa_core_reconfigure(fixture->core, &config);
    was_met = fault_disarm();
    FAULT_EXPECT(fault, was_met == (status != MFA_OK));
    FAULT_EXPECT(fault, was_met == (fixture->core->settings == before));
    return was_met;
}

static void a_configuration_is_taken_over_whole_or_not_at_all(void **state)
{
    fault_exhaust(state, FAULT_MEMORY, reconfigure_core);
}

#define SENDING FIXTURE_SINGLE_LIMITED("", "")

/* The counts of sent messages are written last. */
static bool stop_core(void *state, const struct fault *fault)
{
    struct fixture *fixture = fixture_restart(&state, SENDING);
    char token[MFA_TOKEN_SIZE];
    bool was_met = false;

    fixture_activate(fixture, "alice", token);
    fault_arm(fault);
    mfa_core_stop(fixture->core);
    was_met = fault_disarm();
    FAULT_EXPECT(fault, was_met || fake_kv_count(&fixture->kv) == 3); /* with the key of their names */
    fixture_restart(&state, SENDING);
    return was_met;
}

static void a_core_stops_whatever_it_cannot_write(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_CLOCK, FAULT_STORE, FAULT_CONFLICT};

    fixture_restart(state, SENDING);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        fault_exhaust(state, kinds[i], stop_core);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_configuration_is_read_whole_or_refused, set_desk, clear_desk),
        cmocka_unit_test_setup_teardown(a_core_starts_whole_or_not_at_all, set_desk, clear_desk),
        IN_SINGLE(a_configuration_is_taken_over_whole_or_not_at_all),
        IN_SINGLE(a_core_stops_whatever_it_cannot_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
