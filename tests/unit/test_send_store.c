/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fakes/fake_host.h"
#include "fakes/fake_kv.h"
#include "mfa_send_store.h"

static struct fake_host fake;
static struct fake_kv table;
static struct mfa_host_port host;
static struct mfa_kv_port kv;
static const struct mfa_kv_port no_kv;
static const unsigned char counter_key[MFA_COUNTER_KEY_LEN] = {0xab, 0x01};
#define COUNTER_NAME "send.count.ab010000000000000000000000000000"

static int setup(void **state)
{
    (void)state;
    fake_host_init(&fake);
    fake_kv_init(&table);
    host = fake_host_port(&fake);
    kv = fake_kv_port(&table);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_kv_clear(&table);
    fake_host_clear(&fake);
    return 0;
}

static void the_key_is_drawn_once_and_stays_the_same(void **state)
{
    unsigned char first[MFA_SEND_KEY_LEN] = {0}, second[MFA_SEND_KEY_LEN] = {0};

    (void)state;
    assert_int_equal(mfa_send_store_key(&kv, &host, first), MFA_OK);
    assert_int_equal(mfa_send_store_key(&kv, &host, second), MFA_OK);
    assert_memory_equal(first, second, sizeof first);
    assert_int_equal(fake_kv_entry(&table, "send.key")->expires_ms, 0);
}

static void without_a_table_the_key_is_drawn_each_time(void **state)
{
    unsigned char first[MFA_SEND_KEY_LEN] = {0}, second[MFA_SEND_KEY_LEN] = {0};

    (void)state;
    assert_int_equal(mfa_send_store_key(&no_kv, &host, first), MFA_OK);
    assert_int_equal(mfa_send_store_key(&no_kv, &host, second), MFA_OK);
    assert_memory_not_equal(first, second, sizeof first);
}

/* Another process draws its key between our get and our put. */
static enum mfa_status put_second(void *ctx, const char *key, const void *value, size_t len, int64_t expires_ms,
                                  uint64_t *version)
{
    const struct mfa_kv_port faster = fake_kv_port(ctx);
    unsigned char theirs[MFA_SEND_KEY_LEN];
    uint64_t none = 0;

    memset(theirs, 7, sizeof theirs);
    assert_int_equal(faster.put(ctx, key, theirs, sizeof theirs, 0, &none), MFA_OK);
    return faster.put(ctx, key, value, len, expires_ms, version);
}

static void of_two_processes_that_draw_a_key_one_takes_that_of_the_other(void **state)
{
    struct mfa_kv_port second = kv;
    unsigned char key[MFA_SEND_KEY_LEN] = {0};

    (void)state;
    second.put = put_second;
    assert_int_equal(mfa_send_store_key(&second, &host, key), MFA_OK);
    for (size_t i = 0; i < sizeof key; i++)
        assert_int_equal(key[i], 7);
}

static void a_key_that_cannot_be_had_is_none(void **state)
{
    static const unsigned char zeros[MFA_SEND_KEY_LEN];
    unsigned char key[MFA_SEND_KEY_LEN] = {1};

    (void)state;
    table.get_fails = true;
    assert_int_equal(mfa_send_store_key(&kv, &host, key), MFA_ERR_INTERNAL);
    assert_memory_equal(key, zeros, sizeof key);
    table.get_fails = false;
    table.put_fails = true;
    assert_int_equal(mfa_send_store_key(&kv, &host, key), MFA_ERR_INTERNAL);
    assert_memory_equal(key, zeros, sizeof key);
    fake_kv_entry(&table, "send.key")->len = MFA_SEND_KEY_LEN - 1;
    assert_int_equal(mfa_send_store_key(&kv, &host, key), MFA_ERR_INTERNAL);
    assert_memory_equal(key, zeros, sizeof key);
}

static void a_counter_comes_back_as_it_was_stored(void **state)
{
    struct mfa_send_record record = {.at_s = {1, 0x12345678, UINT32_MAX}, .count = 3};
    struct mfa_send_record loaded;

    (void)state;
    assert_int_equal(mfa_send_store_save(&kv, counter_key, &record, 1700000000), MFA_OK);
    assert_int_not_equal(record.version, 0);
    assert_int_equal(fake_kv_entry(&table, COUNTER_NAME)->expires_ms, INT64_C(1700000000000));
    assert_memory_equal(fake_kv_entry(&table, COUNTER_NAME)->value, "\1\1\0\0\0\x78\x56\x34\x12\xff\xff\xff\xff", 13);
    assert_int_equal(mfa_send_store_load(&kv, counter_key, &loaded), MFA_OK);
    assert_memory_equal(&loaded, &record, sizeof record);
}

static void the_largest_counter_fits(void **state)
{
    struct mfa_send_record record = {.count = MFA_SENDS_MAX};
    struct mfa_send_record loaded;

    (void)state;
    assert_int_equal(mfa_send_store_save(&kv, counter_key, &record, 1), MFA_OK);
    assert_int_equal(mfa_send_store_load(&kv, counter_key, &loaded), MFA_OK);
    assert_int_equal(loaded.count, MFA_SENDS_MAX);
}

static void a_counter_at_another_version_is_left_alone(void **state)
{
    struct mfa_send_record record = {.at_s = {5}, .count = 1};
    struct mfa_send_record late = {.at_s = {6}, .count = 1};

    (void)state;
    assert_int_equal(mfa_send_store_save(&kv, counter_key, &record, 9), MFA_OK);
    assert_int_equal(mfa_send_store_save(&kv, counter_key, &late, 9), MFA_ERR_CONFLICT);
    assert_int_equal(late.version, 0);
    assert_int_equal(mfa_send_store_load(&kv, counter_key, &late), MFA_OK);
    assert_int_equal(late.at_s[0], 5);
}

static void a_counter_without_messages_is_removed_and_never_made(void **state)
{
    struct mfa_send_record record = {.count = 0};

    (void)state;
    assert_int_equal(mfa_send_store_save(&kv, counter_key, &record, 0), MFA_OK);
    assert_int_equal(table.puts, 0);
    record = (struct mfa_send_record){.at_s = {5}, .count = 1};
    assert_int_equal(mfa_send_store_save(&kv, counter_key, &record, 9), MFA_OK);
    record.count = 0;
    assert_int_equal(mfa_send_store_save(&kv, counter_key, &record, 0), MFA_OK);
    assert_int_equal(record.version, 0);
    assert_int_equal(fake_kv_count(&table), 0);
}

static void a_value_that_is_no_counter_is_a_failure(void **state)
{
    static const struct {
        const char *value;
        size_t len;
    } bad[] = {{"\2", 1}, {"\0", 1}, {"\1\1\1\1", 4}, {"\1\1\1\1\1\1", 6}};
    struct mfa_send_record loaded;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fake_kv_entry *entry = fake_kv_entry(&table, COUNTER_NAME);
        memcpy(entry->value, bad[i].value, bad[i].len);
        entry->len = bad[i].len;
        assert_int_equal(mfa_send_store_load(&kv, counter_key, &loaded), MFA_ERR_INTERNAL);
        assert_int_equal(loaded.count, 0);
    }
}

#define IN_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_STORE(the_key_is_drawn_once_and_stays_the_same),
        IN_STORE(without_a_table_the_key_is_drawn_each_time),
        IN_STORE(of_two_processes_that_draw_a_key_one_takes_that_of_the_other),
        IN_STORE(a_key_that_cannot_be_had_is_none),
        IN_STORE(a_counter_comes_back_as_it_was_stored),
        IN_STORE(the_largest_counter_fits),
        IN_STORE(a_counter_at_another_version_is_left_alone),
        IN_STORE(a_counter_without_messages_is_removed_and_never_made),
        IN_STORE(a_value_that_is_no_counter_is_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
