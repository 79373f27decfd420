/* SPDX-License-Identifier: Apache-2.0
 *
 * codes.h: the codes a communication service makes and checks by itself; one at a time for each number. Not
 * thread-safe; the service's one thread uses it.
 */
#ifndef CODES_H
#define CODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODES_LEN 6
#define CODES_TTL_MS 180000

/* Numbers with a code at the same time. Past it the oldest code is forgotten. */
#define CODES_MAX 16384

/* Longest number, in bytes without NUL: E.164's 15 digits and a plus sign. */
#define CODES_NUMBER_MAX 16

enum codes_result {
    CODES_WRONG = 0, /* also: no code for this number */
    CODES_EXPIRED,
    CODES_RIGHT,
};

struct codes;

/* Returns    an empty set, or NULL when memory is short. sodium_init has been called before.
 * Ownership  owned by caller, release with codes_free. */
__attribute__((warn_unused_result)) struct codes *codes_new(void);

/* Draws a code for `number`, in place of any it had; `now_ms` is monotonic.
 * Returns    false when `number` is too long or memory is short; `secret_code` is then empty.
 * Ownership  `number` is borrowed until return; `secret_code` is the caller's to zero. */
__attribute__((warn_unused_result)) bool codes_draw(struct codes *codes, const char *number, uint64_t now_ms,
                                                    char secret_code[static CODES_LEN + 1]);

/* Compares; a right code is used up, an expired one stays expired until a new one is drawn.
 * Ownership  all borrowed until return. */
enum codes_result codes_check(struct codes *codes, const char *number, const char *code, uint64_t now_ms);

/* Accepts NULL. */
void codes_free(struct codes *codes);

#endif
