/* SPDX-License-Identifier: Apache-2.0
 *
 * Pending sessions: what stands between a first factor and its release. In memory only; a restart loses them.
 *
 * A session belongs to one user and one purpose, lives for a fixed time, and is found by a keyed hash of its token. Codes
 * are kept as keyed hashes too. Creating, finding, taking and expiring one are constant time at any number of sessions: the
 * table is split by user into shards, each in order of expiry, which is that of creation unless lives become shorter.
 *
 * Every function is atomic and may be called from any thread.
 */
#ifndef MFA_SESSIONS_H
#define MFA_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mfa_policy.h"
#include "mfa_session.h"
#include "mfa_status.h"

/* Length of the secret that seeds every hash. */
#define MFA_SESSIONS_SEED_LEN 32

struct mfa_sessions;

/* Makes an empty table. `key_secret` seeds every hash and is copied. `*out` is owned by the caller, released with
 * mfa_sessions_free. Returns MFA_OK, MFA_ERR_MEMORY or MFA_ERR_INTERNAL. */
MFA_MUST_CHECK enum mfa_status mfa_sessions_new(struct mfa_sessions **out, const struct mfa_policy *policy,
                                                const unsigned char key_secret[static MFA_SESSIONS_SEED_LEN]);

/* Goes by another policy from now on. Sessions that are open keep their ends, and their codes theirs. */
void mfa_sessions_set_policy(struct mfa_sessions *sessions, const struct mfa_policy *policy);

/* Wipes and frees every session and the table. Accepts NULL. */
void mfa_sessions_free(struct mfa_sessions *sessions);

/* Makes the reference of a user's token. Any text may be given: one that is no token finds nothing. */
void mfa_sessions_ref(const struct mfa_sessions *sessions, const char *user_id, const char *token_secret,
                      size_t token_len, struct mfa_session_ref *ref);

/* Opens a session under `ref`; its life starts at `now_ms` (monotonic). `facts` is copied. At the user's own limit the
 * oldest of that user's sessions goes. Returns MFA_OK; MFA_ERR_FULL: the table is at its limit; MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_sessions_open(struct mfa_sessions *sessions, uint64_t now_ms,
                                                 const struct mfa_session_ref *ref,
                                                 const struct mfa_session_facts *facts);

/* True when there is a live session. */
MFA_MUST_CHECK bool mfa_sessions_has(struct mfa_sessions *sessions, uint64_t now_ms, const struct mfa_session_ref *ref);

/* Copies the user data of a live session. The text, `*len` bytes and a NUL, is owned by the caller, released with
 * mfa_secret_free. Returns MFA_OK, MFA_ERR_NOT_FOUND or MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_sessions_user_data(struct mfa_sessions *sessions, uint64_t now_ms,
                                                      const struct mfa_session_ref *ref, char **text, size_t *len);

/* Remembers the last challenge, copied, in the place of what was remembered before.
 * Returns MFA_OK, MFA_ERR_NOT_FOUND or MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_sessions_set_challenge(struct mfa_sessions *sessions, uint64_t now_ms,
                                                          const struct mfa_session_ref *ref,
                                                          const struct mfa_session_challenge *challenge);

/* Gives back what mfa_sessions_set_challenge was told; `*out` is owned by the caller, released with
 * mfa_session_challenge_clear. Returns MFA_OK, MFA_ERR_NOT_FOUND or MFA_ERR_MEMORY; `*out` is zeroed on failure. */
MFA_MUST_CHECK enum mfa_status mfa_sessions_challenge(struct mfa_sessions *sessions, uint64_t now_ms,
                                                      const struct mfa_session_ref *ref,
                                                      struct mfa_session_challenge *out);

/* Reserves the sending of a message on a session, before it is sent.
 * Returns MFA_OK; MFA_ERR_NOT_FOUND; MFA_ERR_FULL: not for another `*wait_s` seconds, since a message is being sent already,
 * or the last re-send is not long enough ago. The first message after the one that opened the session is free, since
 * clients may ask for it at once. */
MFA_MUST_CHECK enum mfa_status mfa_sessions_begin_send(struct mfa_sessions *sessions, uint64_t now_ms,
                                                       const struct mfa_session_ref *ref, uint32_t *wait_s);

/* Makes the code of a message that was begun good, before it is sent, since it can arrive before the service's answer does.
 * Codes before it stay good. Returns MFA_OK or MFA_ERR_NOT_FOUND. */
MFA_MUST_CHECK enum mfa_status mfa_sessions_add_code(struct mfa_sessions *sessions, uint64_t now_ms,
                                                     const struct mfa_session_ref *ref, const char *code_secret);

/* Ends what begin_send reserved, at `begun_ms`. A message that was certainly not sent takes its code with it, and is as if
 * it had not been begun; otherwise only as many earlier codes stay good as the policy says. */
void mfa_sessions_end_send(struct mfa_sessions *sessions, uint64_t begun_ms, const struct mfa_session_ref *ref,
                           bool was_sent);

/* Counts an attempt, before anything is compared, so that guesses made at the same time cannot slip through.
 * Returns MFA_OK; MFA_ERR_NOT_FOUND: no live session of this user, purpose and token; MFA_ERR_DENIED: all attempts are used. */
MFA_MUST_CHECK enum mfa_status mfa_sessions_reserve_attempt(struct mfa_sessions *sessions, uint64_t now_ms,
                                                            const struct mfa_session_ref *ref,
                                                            enum mfa_purpose purpose);

/* Compares a code with those of the session. Takes the same time for any wrong code.
 * Returns MFA_OK; MFA_ERR_DENIED: wrong, or there is no code to match; MFA_ERR_EXPIRED: it was right once;
 * MFA_ERR_NOT_FOUND. */
MFA_MUST_CHECK enum mfa_status mfa_sessions_match(struct mfa_sessions *sessions, uint64_t now_ms,
                                                  const struct mfa_session_ref *ref, const char *code_secret);

/* Settles a reserved attempt that failed. The session dies once all that there are have failed. `*left` is how many can
 * still be reserved; UINT32_MAX: attempts are not limited.
 * Returns MFA_OK; MFA_ERR_NOT_FOUND: the session has ended otherwise meanwhile, `*left` is 0. */
MFA_MUST_CHECK enum mfa_status mfa_sessions_fail_attempt(struct mfa_sessions *sessions,
                                                         const struct mfa_session_ref *ref, uint32_t *left);

/* Gives back a reserved attempt that came to nothing: no code was compared. */
void mfa_sessions_return_attempt(struct mfa_sessions *sessions, const struct mfa_session_ref *ref);

/* Hands a live session to the caller: of any number of callers at most one gets it, and to all others there is none. What
 * was begun before, a message or an attempt, is settled all the same.
 * Returns NULL when there is none; otherwise owned by the caller, who puts it back or uses it up. */
struct mfa_session *mfa_sessions_take(struct mfa_sessions *sessions, uint64_t now_ms,
                                      const struct mfa_session_ref *ref);

/* Undoes a take, when what should have followed failed, unless the session has expired or been dropped meanwhile. `session`
 * is transferred. */
void mfa_sessions_put_back(struct mfa_sessions *sessions, struct mfa_session *session);

/* Removes a session that was taken for good; it stays the caller's, released with mfa_session_free. */
void mfa_sessions_use_up(struct mfa_sessions *sessions, struct mfa_session *session);

/* Removes one session, if it is there. */
void mfa_sessions_drop(struct mfa_sessions *sessions, const struct mfa_session_ref *ref);

/* Removes every session of a user that has one of the purposes in the set. */
void mfa_sessions_drop_user(struct mfa_sessions *sessions, const char *user_id, unsigned purposes);

/* As mfa_sessions_drop_user, of those that are older than the session that `ref` names; none, when that is not there. */
void mfa_sessions_drop_older(struct mfa_sessions *sessions, const struct mfa_session_ref *ref, unsigned purposes);

/* Frees what has expired, in steps short enough that no other call waits for long. */
void mfa_sessions_expire(struct mfa_sessions *sessions, uint64_t now_ms);

/* Counts the sessions in the table, expired ones that were not freed yet included. Looks at every part of it. */
uint64_t mfa_sessions_count(const struct mfa_sessions *sessions);

#endif
