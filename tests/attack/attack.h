/* SPDX-License-Identifier: Apache-2.0
 *
 * attack.h: what the attacks share: a stage whose other limits are out of the way, and what must hold of every refusal.
 * README.md lists the attacks. Everything asserts with cmocka what it promises.
 *
 *     stage_attacked_open(&stage, &(struct attack_settings){.attempts = "perSession: 3"});
 *     ...
 *     expect_refused(&stage, "julia", answer, 400, "invalid-parameters-format");
 */
#ifndef ATTACK_H
#define ATTACK_H

#include "harness_stage.h"

#define LIST_LEN(list) (sizeof(list) / sizeof *(list))

/* Entries of YAML flow mappings below `services.mfa`. What is NULL is the suite's default: no delay between attempts and no
 * send limit, which would stop most attacks before the defence in question is reached; else the product's. */
struct attack_settings {
    const char *mode; /* of `mode`; NULL: single */
    const char
        *endpoints; /* of sms.endpoints, `GATEWAY` standing for the gateway's URL; NULL: the guide's for the mode */
    const char *send_limits; /* of sms.sendLimits; "": the product's defaults */
    const char *sms;         /* of `sms`, any other */
    const char *attempts;
    const char *sessions;
    const char *more; /* of `services.mfa`, any other */
};

/* The whole configuration; owned by caller, release with free. */
char *attack_config(const char *gateway_url, const struct attack_settings *settings);

/* Opens a stage, to be closed with stage_close. */
void stage_attacked_open(struct stage *stage, const struct attack_settings *settings);

/* The same for a group's setup; ended by host_ends_in_good_order. */
int stage_attacked_open_for_group(void **state, const struct attack_settings *settings);

/* POST with a token (may be NULL) and a body of any bytes; release with http_answer_clear. */
struct http_answer post_raw(struct stage *stage, const char *path, const char *token, const char *body,
                            size_t body_len);

/* "/{username}{rest}"; owned by caller, release with free. */
char *user_path(const char *username, const char *rest);

/* Whether a token opens /{username}/access-info. */
bool opens_access(struct stage *stage, const char *username, const char *token);

/* Asserts that an answer has no token, mfaToken, apiEndpoint, recovery codes or cookie in it, and, by the second, that no
 * text in it is one by another name either. */
void assert_gives_nothing(const struct http_answer *answer);
void assert_nothing_opens_access(struct stage *stage, const char *username, const struct http_answer *answer);

/* Asserts a refusal: its status and id, and that it gives nothing away. The answer is transferred: it is cleared. */
void expect_refused(struct stage *stage, const char *username, struct http_answer answer, long status,
                    const char *error_id);

/* Asserts that the right code still works: the session survived the attack. Clears the login. */
void expect_right_code_works(struct stage *stage, const char *username, struct pending_login *login);

/* Asserts that the right code is refused, the session being dead, and that the owner gets in by a new login. Clears the
 * login. */
void expect_session_is_dead(struct stage *stage, const char *username, struct pending_login *login);

/* A wrong code for this login, whatever the right one is. */
struct http_answer send_wrong_code(struct stage *stage, const char *username, const struct pending_login *login,
                                   unsigned more);

/* POSTs all bodies (transferred) to one route at once; release each answer with http_answer_clear. */
void post_at_once(struct stage *stage, const char *path, const char *token, json_t *const *bodies,
                  struct http_answer *answers, size_t count);

/* How long a 429 tells to wait, which is the same in its header and its data, and asserted to be at most `longest`. */
long retry_after_s(const struct http_answer *answer, long longest);

/* A pause, where time itself is the subject. */
void pause_ms(long ms);

#endif
