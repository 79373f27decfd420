/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "passwords.h"

struct world {
    struct storage *storage;
    struct passwords *passwords;
    struct storage_user user;
};

static struct core_span span_of(const char *text)
{
    return (struct core_span){text, strlen(text)};
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    char hash[crypto_pwhash_STRBYTES];

    *state = world;
    if (!world || sodium_init() < 0 || storage_open(&world->storage, NULL) != CORE_OK)
        return -1;
    world->passwords = passwords_new(world->storage, PASSWORDS_MINIMUM);
    strcpy(world->user.username, "alice");
    if (!world->passwords || passwords_hash(world->passwords, span_of("right"), hash) != CORE_OK)
        return -1;
    return storage_add_user(world->storage, &world->user, NULL, hash) == CORE_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    passwords_free(world->passwords);
    storage_close(world->storage);
    free(world);
    return 0;
}

static void only_the_right_password_is_right(void **state)
{
    struct world *world = *state;
    struct core_span id = span_of(world->user.id);

    assert_int_equal(passwords_check(world->passwords, id, span_of("right")), CORE_OK);
    assert_int_equal(passwords_check(world->passwords, id, span_of("righ")), CORE_ERR_DENIED);
    assert_int_equal(passwords_check(world->passwords, id, span_of("")), CORE_ERR_DENIED);
    assert_int_equal(passwords_check_here(world->passwords, id, span_of("right")), CORE_OK);
    assert_int_equal(passwords_check_here(world->passwords, id, span_of("wrong")), CORE_ERR_DENIED);
}

static void an_unknown_user_has_no_password(void **state)
{
    struct world *world = *state;

    assert_int_equal(passwords_check(world->passwords, span_of("nobody"), span_of("right")), CORE_ERR_NOT_FOUND);
}

static void many_checks_in_turn_do_not_make_it_busy(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 50; i++)
        assert_int_equal(passwords_check_here(world->passwords, span_of("nobody"), span_of("x")), CORE_ERR_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(only_the_right_password_is_right),
        TEST(an_unknown_user_has_no_password),
        TEST(many_checks_in_turn_do_not_make_it_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
