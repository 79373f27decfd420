/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/fake_host.h"
#include "mfa_record.h"

#define USER "id-alice"
#define OURS "{\"ours\":1}"
#define THEIRS "{\"theirs\":1}"

/* A host with a rival, who writes between our load and our store. */
struct desk {
    struct fake_host fake;
    struct mfa_host_port real;
    struct mfa_host_port host;
    bool rival_comes; /* once */
    const char *rival_writes;
};

static enum mfa_status load(void *ctx, enum mfa_record record, const char *user_id, struct mfa_buffer *out,
                            uint64_t *version)
{
    struct desk *desk = ctx;
    enum mfa_status status = desk->real.profile_load(desk->real.ctx, record, user_id, out, version);

    if (desk->rival_comes)
        fake_host_set_record(&desk->fake, record, user_id, desk->rival_writes);
    desk->rival_comes = false;
    return status;
}

static enum mfa_status store(void *ctx, enum mfa_record record, const char *user_id, uint64_t expected,
                             const char *data, size_t len)
{
    const struct desk *desk = ctx;

    return desk->real.profile_store(desk->real.ctx, record, user_id, expected, data, len);
}

static int setup(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);

    assert_non_null(desk);
    fake_host_init(&desk->fake);
    desk->real = fake_host_port(&desk->fake);
    desk->host = (struct mfa_host_port){.ctx = desk, .profile_load = load, .profile_store = store};
    *state = desk;
    return 0;
}

static int teardown(void **state)
{
    struct desk *desk = *state;

    fake_host_clear(&desk->fake);
    free(desk);
    return 0;
}

static void set(struct desk *desk, const char *text)
{
    fake_host_set_record(&desk->fake, MFA_RECORD_ATTEMPTS, USER, text);
}

static void let_rival_write(struct desk *desk, const char *text)
{
    desk->rival_comes = true;
    desk->rival_writes = text;
}

static enum mfa_status remove_it(struct desk *desk)
{
    return mfa_record_remove(&desk->host, MFA_RECORD_ATTEMPTS, USER);
}

static void assert_stored(struct desk *desk, const char *expected)
{
    char *stored = fake_host_record(&desk->fake, MFA_RECORD_ATTEMPTS, USER);

    if (expected == NULL)
        assert_null(stored);
    else
        assert_string_equal(stored, expected);
    free(stored);
}

static void what_is_there_is_removed_readable_or_not(void **state)
{
    static const char *const there[] = {THEIRS, "", "\x01garbage"};
    struct desk *desk = *state;

    for (size_t i = 0; i < sizeof there / sizeof there[0]; i++) {
        set(desk, there[i]);
        assert_int_equal(remove_it(desk), MFA_OK);
        assert_stored(desk, NULL);
    }
}

static void what_is_too_large_to_be_read_is_removed(void **state)
{
    struct desk *desk = *state;
    char *text = malloc(MFA_RECORD_MAX_LEN + 2);

    assert_non_null(text);
    memset(text, 'x', MFA_RECORD_MAX_LEN + 1);
    text[MFA_RECORD_MAX_LEN + 1] = '\0';
    set(desk, text);
    free(text);
    assert_int_equal(remove_it(desk), MFA_OK);
    assert_stored(desk, NULL);
}

static void other_records_and_other_users_are_left_alone(void **state)
{
    static const struct {
        enum mfa_record record;
        const char *user_id;
    } others[] = {{MFA_RECORD_ENROLMENT, USER}, {MFA_RECORD_ATTEMPTS, "id-bob"}};
    struct desk *desk = *state;

    for (size_t i = 0; i < 2; i++)
        fake_host_set_record(&desk->fake, others[i].record, others[i].user_id, THEIRS);
    set(desk, OURS);
    assert_int_equal(remove_it(desk), MFA_OK);
    for (size_t i = 0; i < 2; i++) {
        char *stored = fake_host_record(&desk->fake, others[i].record, others[i].user_id);
        assert_string_equal(stored, THEIRS);
        free(stored);
    }
}

static void nothing_to_remove_is_not_found_and_writes_nothing(void **state)
{
    struct desk *desk = *state;

    assert_int_equal(remove_it(desk), MFA_ERR_NOT_FOUND);
    assert_int_equal(desk->fake.stores, 0);
}

static void a_rivals_record_is_removed_too(void **state)
{
    struct desk *desk = *state;

    set(desk, OURS);
    let_rival_write(desk, THEIRS);
    assert_int_equal(remove_it(desk), MFA_OK);
    assert_stored(desk, NULL);
}

static void of_two_removals_one_finds_nothing(void **state)
{
    struct desk *desk = *state;

    set(desk, OURS);
    let_rival_write(desk, NULL);
    assert_int_equal(remove_it(desk), MFA_ERR_NOT_FOUND);
    assert_stored(desk, NULL);
}

static void endless_conflicts_end_in_a_failure(void **state)
{
    struct desk *desk = *state;

    set(desk, THEIRS);
    desk->fake.conflicts = 1000;
    assert_int_equal(remove_it(desk), MFA_ERR_CONFLICT);
    assert_int_equal(desk->fake.stores, MFA_RECORD_MAX_TRIES);
    assert_stored(desk, THEIRS);
}

static void what_cannot_be_loaded_is_not_removed(void **state)
{
    struct desk *desk = *state;

    set(desk, THEIRS);
    desk->fake.load_fails = true;
    assert_int_equal(remove_it(desk), MFA_ERR_INTERNAL);
    assert_int_equal(desk->fake.stores, 0);
    assert_stored(desk, THEIRS);
}

static void a_failing_store_is_not_tried_again_and_leaves_what_was_there(void **state)
{
    struct desk *desk = *state;

    set(desk, THEIRS);
    desk->fake.store_fails = true;
    assert_int_equal(remove_it(desk), MFA_ERR_INTERNAL);
    assert_int_equal(desk->fake.stores, 1);
    assert_stored(desk, THEIRS);
}

#define IN_DESK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DESK(what_is_there_is_removed_readable_or_not),
        IN_DESK(what_is_too_large_to_be_read_is_removed),
        IN_DESK(other_records_and_other_users_are_left_alone),
        IN_DESK(nothing_to_remove_is_not_found_and_writes_nothing),
        IN_DESK(a_rivals_record_is_removed_too),
        IN_DESK(of_two_removals_one_finds_nothing),
        IN_DESK(endless_conflicts_end_in_a_failure),
        IN_DESK(what_cannot_be_loaded_is_not_removed),
        IN_DESK(a_failing_store_is_not_tried_again_and_leaves_what_was_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
