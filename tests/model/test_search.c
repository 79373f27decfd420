/* SPDX-License-Identifier: Apache-2.0
 *
 * The search itself: that it runs each order that makes a difference, and no other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "orders.h"
#include "process.h"

/* What processes do: "Wx" writes x, "Rx" reads it; what each finds is the number of writes before. */
struct play {
    const char *const *scripts;
    size_t count;
    unsigned writes[4];
    char found[64]; /* by whom what was found, in the order of the scripts */
    char all[2048][64];
    size_t all_count;
};

struct part {
    struct play *play;
    const char *script;
    char *found;
};

static struct part parts[8];

static void act(void *arg)
{
    struct part *part = arg;

    for (const char *access = part->script; access[0] != '\0'; access += 2) {
        unsigned *object = &part->play->writes[access[1] - 'x'];
        process_stop((struct access){.object = object, .writes = access[0] == 'W'});
        *part->found++ = (char)('0' + *object);
        *object += access[0] == 'W';
    }
}

static void begin(void *ctx)
{
    struct play *play = ctx;
    size_t used = 0;

    memset(play->writes, 0, sizeof play->writes);
    memset(play->found, 0, sizeof play->found);
    for (size_t i = 0; i < play->count; i++) {
        parts[i] = (struct part){play, play->scripts[i], play->found + used};
        used += strlen(play->scripts[i]) / 2;
        process_start(act, &parts[i], NULL);
    }
}

static void end(void *ctx)
{
    struct play *play = ctx;

    for (size_t i = 0; i < play->all_count; i++)
        if (strcmp(play->all[i], play->found) == 0)
            return;
    memcpy(play->all[play->all_count++], play->found, sizeof play->found);
}

/* Runs them, and returns how many ways they can go, seen by what is found. */
static size_t count_ways(struct orders_count *orders, const char *const *scripts, size_t count)
{
    struct play *play = calloc(1, sizeof *play);
    size_t ways = 0;

    assert_non_null(play);
    *orders = (struct orders_count){0};
    play->scripts = scripts;
    play->count = count;
    orders_run_all(&(struct orders_subject){play, begin, end}, orders);
    ways = play->all_count;
    free(play);
    return ways;
}

static void assert_ways(const char *const *scripts, size_t count, size_t ways)
{
    struct orders_count orders;

    assert_int_equal(count_ways(&orders, scripts, count), ways);
    assert_int_equal(orders.runs, ways);
}

#define ASSERT_WAYS(ways, ...)                                                                                         \
    assert_ways((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), ways)

static void what_does_not_meet_is_run_once(void **state)
{
    (void)state;
    ASSERT_WAYS(1, "WxWx", "WyWy");
    ASSERT_WAYS(1, "RxRx", "Rx", "Rx");
}

static void two_writers_are_run_in_every_order(void **state)
{
    (void)state;
    ASSERT_WAYS(2, "Wx", "Wx");
    ASSERT_WAYS(6, "WxWx", "WxWx");
    ASSERT_WAYS(6, "Wx", "Wx", "Wx");
    ASSERT_WAYS(90, "WxWx", "WxWx", "WxWx");
}

static void readers_are_run_in_no_order_of_their_own(void **state)
{
    (void)state;
    ASSERT_WAYS(4, "Wx", "Rx", "Rx");
    ASSERT_WAYS(4, "Wx", "RyRx", "RxRy");
    ASSERT_WAYS(3, "WxWy", "WyWx");
    ASSERT_WAYS(44, "RxWyWx", "RyWx", "WyRx");
    ASSERT_WAYS(184, "WxWyRx", "WyWxRy", "RxWyWx");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_meet_is_run_once),
        cmocka_unit_test(two_writers_are_run_in_every_order),
        cmocka_unit_test(readers_are_run_in_no_order_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
