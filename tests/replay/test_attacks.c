/* SPDX-License-Identifier: Apache-2.0
 *
 * The hostile values of _attacks.json against every recorded configuration: a value in whatever field of the user data
 * changes the structure of no request, or nothing is sent; a code is refused before any request is made.
 */
#include "suite.h"

#include <stdlib.h>
#include <string.h>

#include "flow_fixture.h"
#include "replay.h"
#include "structure.h"

#define CODE "482913"

/* --- Values ----------------------------------------------------------------------------------------------------- */

/* Describes the request with these user data; NULL: it is not sent. Owned by the caller, released with free. */
static char *structure_with(const struct subject *subject, const json_t *user_data)
{
    struct replayed replayed;

    replay(&(struct replay_call){.recording = subject->recording,
                                 .name = subject->call,
                                 .user_data = user_data,
                                 .code = strcmp(subject->call, "challenge") == 0 ? NULL : CODE},
           &replayed);
    char *structure = replayed.request ? structure_of(replayed.url, replayed.request) : NULL;
    replayed_clear(&replayed);
    return structure;
}

static void try_value(const struct subject *subject, const char *field, json_t *value, const char *harmless)
{
    json_t *user_data = json_deep_copy(recorded(subject->recording->data, "userData"));

    json_object_set(user_data, field, value);
    char *structure = structure_with(subject, user_data);
    if (structure && strcmp(structure, harmless) != 0)
        fail_msg("%s: %s changed\n%s\ninto\n%s", field, json_string_value(value), harmless, structure);
    free(structure);
    json_decref(user_data);
}

static void values_stay_values(void **state)
{
    const struct subject *subject = *state;
    json_t *values = recorded_attacks("value");
    json_t *user_data = (json_t *)(uintptr_t)recorded(subject->recording->data, "userData");
    char *harmless = structure_with(subject, user_data);
    const char *field = NULL;
    json_t *usual = NULL;
    json_t *value = NULL;
    size_t i = 0;

    assert_non_null(harmless);
    json_object_foreach(user_data, field, usual)
    {
        json_array_foreach(values, i, value)
        {
            try_value(subject, field, value, harmless);
        }
    }
    free(harmless);
    json_decref(values);
}

/* --- Codes ------------------------------------------------------------------------------------------------------ */

static void open_core(struct fixture *fixture, const struct recording *recording)
{
    struct mfa_config config;

    memset(fixture, 0, sizeof *fixture);
    fake_host_init(&fixture->host);
    fake_kv_init(&fixture->kv);
    replay_set_clocks(recording, &fixture->host);
    struct mfa_host_port host = fake_host_port(&fixture->host);
    struct mfa_gateway_port gateway = replay_gateway_port();
    struct mfa_kv_port kv = fake_kv_port(&fixture->kv);
    replay_configure(&config, recording);
    assert_int_equal(mfa_core_new(&fixture->core, &host, &gateway, &kv, &config), MFA_OK);
}

static void close_core(struct fixture *fixture)
{
    mfa_core_free(fixture->core);
    fake_kv_clear(&fixture->kv);
    fake_host_clear(&fixture->host);
}

/* The first recorded answer to a call that comes to this outcome; NULL: none is. */
static const json_t *find_response(const struct recording *recording, const char *call, const char *outcome)
{
    json_t *exchange = NULL;
    size_t i = 0;

    json_array_foreach(recorded(recording->data, "exchanges"), i, exchange)
    {
        if (strcmp(recorded_text(exchange, "call"), call) == 0 &&
            strcmp(recorded_text(exchange, "outcome"), outcome) == 0)
            return recorded(exchange, "response");
    }
    return NULL;
}

static void activate(struct fixture *fixture, const struct subject *subject, char token[static MFA_TOKEN_SIZE])
{
    char *body = json_dumps(recorded(subject->recording->data, "userData"), 0);

    replay_answer(subject->recording, subject->call, find_response(subject->recording, subject->call, "sent"));
    const struct fake_completion *opened =
        fixture_run(fixture, mfa_flow_activate, &(struct fixture_input){.body = body});
    assert_int_equal(opened->outcome, MFA_OUTCOME_ACTIVATION_OPENED);
    fixture_token_of(opened, token);
    free(body);
}

static const struct fake_completion *confirm(struct fixture *fixture, const char *token, json_t *code)
{
    json_t *object = json_pack("{s:O}", "code", code);
    char *body = json_dumps(object, 0);
    const struct fake_completion *completion =
        fixture_run(fixture, mfa_flow_confirm, &(struct fixture_input){.token = token, .body = body});

    free(body);
    json_decref(object);
    return completion;
}

static void hostile_codes_are_refused_and_a_good_one_is_taken(void **state)
{
    const struct subject *subject = *state;
    json_t *codes = recorded_attacks("code");
    json_t *code = NULL;
    struct fixture fixture;
    char token[MFA_TOKEN_SIZE];
    size_t i = 0;

    open_core(&fixture, subject->recording);
    activate(&fixture, subject, token);
    replay_answer(subject->recording, "verify", find_response(subject->recording, "verify", "accepted"));
    json_array_foreach(codes, i, code)
    {
        assert_int_equal(confirm(&fixture, token, code)->http.status, 400);
    }
    assert_int_equal(replay_request_count(), 0);
    code = json_string(CODE);
    assert_int_equal(confirm(&fixture, token, code)->outcome, MFA_OUTCOME_ENROLLED);
    json_decref(code);
    json_decref(codes);
    close_core(&fixture);
}

/* --- One test for each call, and for the code of each challenge ------------------------------------------------- */

static void add_attacks(struct suite *suite, const struct recording *recording)
{
    static const char *const calls[] = {"single", "challenge", "verify"};
    struct subject subject = {.recording = recording};

    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        subject.call = calls[i];
        if (recorded_endpoint(recording, calls[i]))
            suite_add(suite, values_stay_values, &subject, "values");
    }
    subject.call = "challenge";
    if (recorded_endpoint(recording, "verify"))
        suite_add(suite, hostile_codes_are_refused_and_a_good_one_is_taken, &subject, "codes");
}

int main(void)
{
    struct suite suite;
    suite_init(&suite);
    for (size_t i = 0; i < suite.recordings.count; i++)
        add_attacks(&suite, &suite.recordings.items[i]);
    int failed = suite_run(&suite, "attacks");
    suite_clear(&suite);
    return failed;
}
