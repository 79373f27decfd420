/* SPDX-License-Identifier: Apache-2.0 */
#include "codes.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct code {
    char number[CODES_NUMBER_MAX + 1];
    char secret_code[CODES_LEN + 1];
    uint64_t expires_ms;
    UT_hash_handle hh;
};

struct codes {
    struct code *by_number; /* uthash keeps the order of insertion: the first is the oldest */
};

struct codes *codes_new(void)
{
    return calloc(1, sizeof(struct codes));
}

static void forget(struct codes *codes, struct code *code)
{
    HASH_DEL(codes->by_number, code);
    sodium_memzero(code, sizeof *code);
    free(code);
}

bool codes_draw(struct codes *codes, const char *number, uint64_t now_ms, char secret_code[static CODES_LEN + 1])
{
    secret_code[0] = '\0';
    if (strlen(number) > CODES_NUMBER_MAX)
        return false;

    struct code *code = NULL;
    HASH_FIND_STR(codes->by_number, number, code);
    if (code)
        forget(codes, code);
    else if (HASH_COUNT(codes->by_number) >= CODES_MAX)
        forget(codes, codes->by_number);

    code = calloc(1, sizeof *code);
    if (!code)
        return false;
    snprintf(code->number, sizeof code->number, "%s", number);
    snprintf(code->secret_code, sizeof code->secret_code, "%06u", randombytes_uniform(1000000));
    code->expires_ms = now_ms + CODES_TTL_MS;
    memcpy(secret_code, code->secret_code, sizeof code->secret_code);
    HASH_ADD_STR(codes->by_number, number, code); /* transferred */
    return true;
}

enum codes_result codes_check(struct codes *codes, const char *number, const char *code, uint64_t now_ms)
{
    struct code *drawn = NULL;
    HASH_FIND_STR(codes->by_number, number, drawn);
    if (!drawn)
        return CODES_WRONG;
    if (now_ms >= drawn->expires_ms)
        return CODES_EXPIRED;
    if (strlen(code) != CODES_LEN || sodium_memcmp(code, drawn->secret_code, CODES_LEN) != 0)
        return CODES_WRONG;
    forget(codes, drawn);
    return CODES_RIGHT;
}

void codes_free(struct codes *codes)
{
    if (!codes)
        return;
    while (codes->by_number)
        forget(codes, codes->by_number);
    free(codes);
}
