/* SPDX-License-Identifier: Apache-2.0
 *
 * A code on its way: drawn, hashed into its session, and compared with what the user typed, which is hashed as well;
 * against the two hashes alone, by libsodium's BLAKE2b.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crowd.h"
#include "measure.h"
#include "mfa_code.h"

#define ROUNDS 11
#define TIMES 100000
#define CODE_LEN 6
#define NOW_MS 86399977

struct desk {
    struct mfa_host_port host;
    struct mfa_sessions *sessions;
    struct mfa_session_ref ref;
};

/* As the plugin's own. */
static enum mfa_status draw_random(void *ctx, void *bytes, size_t len)
{
    (void)ctx;
    randombytes_buf(bytes, len);
    return MFA_OK;
}

/* Nanoseconds each. */
static double check_codes(void *context)
{
    const struct desk *desk = context;
    char code_secret[MFA_CODE_SIZE];
    double start_s = measure_now_s();

    for (size_t i = 0; i < TIMES; i++)
        if (mfa_code_draw(&desk->host, CODE_LEN, code_secret) != MFA_OK ||
            mfa_sessions_add_code(desk->sessions, NOW_MS, &desk->ref, code_secret) != MFA_OK ||
            mfa_sessions_match(desk->sessions, NOW_MS, &desk->ref, code_secret) != MFA_OK)
            abort();
    return (measure_now_s() - start_s) / TIMES * 1e9;
}

static double hash_twice(void *context)
{
    static const unsigned char key[MFA_SESSIONS_SEED_LEN] = {42};
    const struct desk *desk = context;
    unsigned char input[MFA_SESSION_KEY_LEN + CODE_LEN] = {0};
    unsigned char hash[MFA_CODE_HASH_LEN];
    double start_s = measure_now_s();

    memcpy(input, desk->ref.key, sizeof desk->ref.key);
    for (size_t i = 0; i < 2 * TIMES; i++) {
        crypto_generichash(hash, sizeof hash, input, sizeof input, key, sizeof key);
        input[0] ^= hash[0];
    }
    return (measure_now_s() - start_s) / TIMES * 1e9;
}

int main(void)
{
    struct desk desk = {.host = {.random = draw_random}, .sessions = crowd_table(1)};
    struct crowd_login login;
    struct measure_pair pair;

    crowd_name(0, &login);
    desk.ref = crowd_ref(desk.sessions, &login);
    crowd_open(desk.sessions, NOW_MS, &desk.ref);
    pair = measure_in_turn(check_codes, hash_twice, &desk, ROUNDS);
    measure_print_row(&(struct measure_row){.row = "code",
                                            .what = "code: draw, hash, compare",
                                            .against = "BLAKE2b of the same size, twice",
                                            .unit = "ns",
                                            .value = pair.value,
                                            .reference = pair.reference,
                                            .goal = MEASURE_AT_MOST,
                                            .limit = 3});
    mfa_sessions_free(desk.sessions);
    return 0;
}
