/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "grants.h"

struct world {
    struct grants *grants;
    unsigned char bytes[CORE_GRANT_MAX];
    size_t len;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    const struct grant grant = {.user_id = "user-1", .app_id = "app", .position = 2};

    *state = world;
    if (!world || sodium_init() < 0 || !(world->grants = grants_new()))
        return -1;
    return grants_seal(world->grants, &grant, world->bytes, &world->len) == CORE_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    grants_free(world->grants);
    free(world);
    return 0;
}

static core_status take(struct world *world, const char *user_id, uint32_t position, struct grant *grant)
{
    return grants_take(world->grants, (struct core_span){world->bytes, world->len}, user_id, position, grant);
}

static void a_grant_opens_once(void **state)
{
    struct grant grant;

    assert_int_equal(take(*state, "user-1", 2, &grant), CORE_OK);
    assert_string_equal(grant.app_id, "app");
    assert_int_equal(grant.position, 2);
    assert_int_equal(take(*state, "user-1", 2, &grant), CORE_ERR_DENIED);
    assert_string_equal(grant.user_id, "");
}

static void a_grant_of_another_does_not_open_and_is_not_used_up(void **state)
{
    struct grant grant;

    assert_int_equal(take(*state, "user-2", 2, &grant), CORE_ERR_DENIED);
    assert_int_equal(take(*state, "user-1", 1, &grant), CORE_ERR_DENIED);
    assert_int_equal(take(*state, "user-1", 2, &grant), CORE_OK);
}

static void a_forged_grant_does_not_open(void **state)
{
    struct world *world = *state;
    struct grant grant;

    for (size_t i = 0; i < world->len; i++) {
        world->bytes[i] ^= 1;
        assert_int_equal(take(world, "user-1", 2, &grant), CORE_ERR_DENIED);
        world->bytes[i] ^= 1;
    }
    for (size_t len = 0; len < world->len; len++)
        assert_int_equal(grants_take(world->grants, (struct core_span){world->bytes, len}, "user-1", 2, &grant),
                         CORE_ERR_DENIED);
    assert_int_equal(grants_take(world->grants, (struct core_span){NULL, 0}, "user-1", 2, &grant), CORE_ERR_DENIED);
}

static void a_grant_of_another_process_does_not_open(void **state)
{
    struct world *world = *state;
    struct grants *other = grants_new();
    struct grant grant;

    assert_non_null(other);
    assert_int_equal(grants_take(other, (struct core_span){world->bytes, world->len}, "user-1", 2, &grant),
                     CORE_ERR_DENIED);
    grants_free(other);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_grant_opens_once),
        TEST(a_grant_of_another_does_not_open_and_is_not_used_up),
        TEST(a_forged_grant_does_not_open),
        TEST(a_grant_of_another_process_does_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
