/* SPDX-License-Identifier: Apache-2.0
 *
 * phone.h: the phones of everybody who was sent a message. Each message is printed on stdout the way a phone would show
 * it, and the last few of each number are kept to be asked for. Not thread-safe; the service's one thread uses it.
 */
#ifndef PHONE_H
#define PHONE_H

#include <jansson.h>
#include <stdbool.h>

/* Bounds of what is kept. Past them the number that was first seen longest ago, or the oldest message, is forgotten. */
#define PHONE_NUMBERS_MAX 16384
#define PHONE_MESSAGES_MAX 8

/* Longest message in bytes, after which a text is refused: ten parts of an SMS. */
#define PHONE_TEXT_MAX 1600

struct phone;

/* Returns    a phone, or NULL when memory is short.
 * Ownership  owned by caller, release with phone_free. */
__attribute__((warn_unused_result)) struct phone *phone_new(void);

/* Prints the message and keeps it.
 * Returns    false: not shown and not kept, because a text is too long or not UTF-8, or memory is short.
 * Ownership  all borrowed until return. */
__attribute__((warn_unused_result)) bool phone_receive(struct phone *phone, const char *number, const char *sender,
                                                       const char *text);

/* Returns    [{"from", "text"}, ...] of one number, newest last, or an empty array; NULL when memory is short.
 * Ownership  owned by caller, release with json_decref. */
__attribute__((warn_unused_result)) json_t *phone_messages(const struct phone *phone, const char *number);

/* Accepts NULL. */
void phone_free(struct phone *phone);

#endif
