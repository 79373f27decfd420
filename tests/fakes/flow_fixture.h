/* SPDX-License-Identifier: Apache-2.0
 *
 * A core over the fakes, in the mode a configuration says, and the ways a test walks through it: one flow at a time, or to
 * the point where the interesting one begins. Users are named as in the path; the id of "alice" is "id-alice".
 *
 * All functions fail the test when something goes another way than their name says.
 */
#ifndef FLOW_FIXTURE_H
#define FLOW_FIXTURE_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fake_gateway.h"
#include "fake_host.h"
#include "fake_kv.h"
#include "flows.h"

/* Send limits that are out of the way: they are a test's business only where it says so. */
#define FIXTURE_NO_SEND_LIMITS "  sendLimits: {minIntervalSeconds: 0, perUserPerHour: 0, perDestinationPerDay: 0}\n"

/* The documented configurations, without send limits; `sms` goes below `sms:` (two spaces deep), `rest` below the section. */
#define FIXTURE_SINGLE(sms, rest) FIXTURE_SINGLE_LIMITED(FIXTURE_NO_SEND_LIMITS sms, rest)
#define FIXTURE_CHALLENGE_VERIFY(rest) FIXTURE_CHALLENGE_VERIFY_LIMITED(FIXTURE_NO_SEND_LIMITS, rest)

/* The same with the default send limits. */
#define FIXTURE_SINGLE_LIMITED(sms, rest)                                                                              \
    "mode: single\n"                                                                                                   \
    "sms:\n" sms "  endpoints:\n"                                                                                      \
    "    single:\n"                                                                                                    \
    "      url: 'https://api.smsmode.com/http/1.6/sendSMS.do?accessToken=your-api-key&message={{ message }}"           \
    "&emetteur=Pryv%20Lab&numero={{ number }}'\n"                                                                      \
    "      method: 'GET'\n" rest

#define FIXTURE_CHALLENGE_VERIFY_LIMITED(sms, rest)                                                                    \
    "mode: challenge-verify\n"                                                                                         \
    "sms:\n" sms "  endpoints:\n"                                                                                      \
    "    challenge:\n"                                                                                                 \
    "      url: 'https://api.smsapi.com/mfa/codes'\n"                                                                  \
    "      method: 'POST'\n"                                                                                           \
    "      body: '{\"phone_number\":\"{{ number }}\"}'\n"                                                              \
    "      headers:\n"                                                                                                 \
    "        authorization: 'Bearer: your-api-key'\n"                                                                  \
    "        'content-type': 'application/json'\n"                                                                     \
    "    verify:\n"                                                                                                    \
    "      url: 'https://api.smsapi.com/mfa/codes/verifications'\n"                                                    \
    "      method: 'POST'\n"                                                                                           \
    "      body: '{\"phone_number\":\"{{ number }}\",\"code\":\"{{ code }}\"}'\n"                                      \
    "      headers:\n"                                                                                                 \
    "        authorization: 'Bearer: your-api-key'\n"                                                                  \
    "        'content-type': 'application/json'\n" rest

/* Of the configurations the setups below load: throttling is a test's business only where it says so. */
#define FIXTURE_NO_THROTTLING "attempts:\n  maxConsecutive: 0\n  backoff:\n    baseSeconds: 0\n"

/* The documented user data. */
#define FIXTURE_SINGLE_DATA                                                                                            \
    "{\"number\":\"41791231212\",\"message\":\"Your%20Pryv%20Lab%20MFA%20code%20is%3A%20{{ code }}\"}"
#define FIXTURE_SERVICE_DATA "{\"number\":\"41791231212\"}"

/* A code of the service; it is the service that says whether it is right. */
#define FIXTURE_SERVICE_CODE "123456"

struct fixture {
    struct fake_host host;
    struct fake_gateway gateway;
    struct fake_kv kv;
    struct mfa_core *core;
    atomic_uint_fast64_t call_count; /* calls made so far; they are numbered from 1 */
};

/* Makes a fixture with this configuration, for what is no test of cmocka's. */
int fixture_setup(void **state, const char *yaml);

/* Setups and teardown for cmocka; the state is a struct fixture. The teardown stops the core and finds every call completed
 * exactly once. */
int fixture_setup_single(void **state);
int fixture_setup_challenge_verify(void **state);
int fixture_teardown(void **state);

/* A test in one mode, or a test for each. */
#define IN_SINGLE(test) cmocka_unit_test_setup_teardown(test, fixture_setup_single, fixture_teardown)
#define IN_CHALLENGE_VERIFY(test)                                                                                      \
    cmocka_unit_test_setup_teardown(test, fixture_setup_challenge_verify, fixture_teardown)
#define IN_BOTH(test) IN_SINGLE(test), IN_CHALLENGE_VERIFY(test)

/* Begins anew with another configuration, in the same place: the teardown finds it whatever fails in between. */
struct fixture *fixture_restart(void **state, const char *yaml);

/* Replaces the core by a new one over the same storage: what was only in memory is gone. */
void fixture_restart_core(struct fixture *fixture, const char *yaml);

/* Has the core take another configuration over. */
void fixture_reconfigure(struct fixture *fixture, const char *yaml);

/* --- One flow ----------------------------------------------------------------------------------------------------- */

struct fixture_input {
    const char *user; /* NULL: "alice" */
    const char *token;
    const char *body;
    const char *grant;
    bool is_from_browser;
};

/* Starts a flow and returns its call. [any thread] */
uint64_t fixture_begin(struct fixture *fixture, mfa_flow_step_fn *first_step, const struct fixture_input *input);

/* Starts the same flow on FIXTURE_THREADS threads at the same moment. The calls are the last FIXTURE_THREADS ones. */
#define FIXTURE_THREADS 50
void fixture_begin_at_once(struct fixture *fixture, mfa_flow_step_fn *first_step, const struct fixture_input *input);

/* Waits for those calls and counts the ones with this outcome. */
size_t fixture_count_at_once(struct fixture *fixture, enum mfa_outcome outcome);

/* Starts a flow that needs no answer of the gateway and returns how it was completed. */
const struct fake_completion *fixture_run(struct fixture *fixture, mfa_flow_step_fn *first_step,
                                          const struct fixture_input *input);

/* Starts a flow, has the gateway answer its request, and returns how it was completed. */
const struct fake_completion *fixture_run_answered(struct fixture *fixture, mfa_flow_step_fn *first_step,
                                                   const struct fixture_input *input, int http_status,
                                                   const char *answer);

/* Confirm or verify with a code. In challenge-verify the service answers 200 without a body when it is
 * FIXTURE_SERVICE_CODE, otherwise 200 with one. */
const struct fake_completion *fixture_check(struct fixture *fixture, mfa_flow_step_fn *first_step,
                                            const struct fixture_input *input, const char *code);

/* --- Shortcuts; the user is named ----------------------------------------------------------------------------------- */

/* Opens an activation with the documented user data. */
void fixture_activate(struct fixture *fixture, const char *user, char token[static MFA_TOKEN_SIZE]);

/* Activates and confirms. */
void fixture_enrol(struct fixture *fixture, const char *user);

/* Logs an enrolled user in, with "grant-USER", as far as the challenge. */
void fixture_open_login(struct fixture *fixture, const char *user, char token[static MFA_TOKEN_SIZE]);

/* Sends the challenge of a session again. */
void fixture_send_again(struct fixture *fixture, const char *user, const char *token);

/* The right code: in single mode the one in the last message, otherwise FIXTURE_SERVICE_CODE. */
void fixture_right_code(const struct fixture *fixture, char code[static MFA_CODE_SIZE]);

/* Another code than the right one. */
void fixture_wrong_code(const struct fixture *fixture, char code[static MFA_CODE_SIZE]);

/* Whether the user's enrolment is stored. */
bool fixture_is_enrolled(struct fixture *fixture, const char *user);

/* --- Looking at completions ----------------------------------------------------------------------------------------- */

/* The body as JSON; owned by the caller, released with json_decref. */
json_t *fixture_body(const struct fake_completion *completion);

void fixture_token_of(const struct fake_completion *completion, char token[static MFA_TOKEN_SIZE]);

/* An error of this kind; `data_id` is the id in its data, NULL: not looked at. */
void fixture_assert_error(const struct fake_completion *completion, uint32_t status, const char *id,
                          const char *data_id);

/* A wrong code with so many attempts left. */
void fixture_assert_wrong_code(const struct fake_completion *completion, int attempts_left);

/* The mfaToken is no good. */
void fixture_assert_bad_token(const struct fake_completion *completion);

/* What a sending can fail of, and the error that clients see. */
struct fixture_failure {
    enum mfa_delivery delivery;
    int http_status;
    uint32_t status;
    const char *id;
    const char *data_id;
    bool may_have_been_sent; /* the message, for all we know */
};
extern const struct fixture_failure fixture_send_failures[];
extern const size_t fixture_send_failure_count;

/* Ends the oldest open request that way. */
void fixture_fail(struct fixture *fixture, const struct fixture_failure *failure);

#endif
