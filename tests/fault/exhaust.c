/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fault.h"

void fault_refute(const struct fault *fault, const char *condition)
{
    (void)fault_disarm();
    fail_msg("with the %u. %s failing%s: not %s", fault->nth, fault_name(fault->kind),
             fault->lasts ? " and all behind it" : "", condition);
}

static size_t count_entries(const char *path)
{
    DIR *directory = opendir(path);
    size_t count = 0;

    assert_non_null(directory);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

/* The other side of a connection takes a moment to notice its end. */
static bool has_as_many_entries(const char *path, size_t count)
{
    for (int i = 0; i < 5000 && count_entries(path) != count; i++)
        (void)poll(NULL, 0, 1);
    return count_entries(path) == count;
}

void fault_exhaust(void **state, enum fault_kind kind, bool (*attempt)(void *state, const struct fault *fault))
{
    const size_t threads = count_entries("/proc/self/task");
    const size_t files = count_entries("/proc/self/fd");
    unsigned met = 0;

    for (int lasts = 0; lasts < 2; lasts++) {
        struct fault fault = {.kind = kind, .nth = 0, .lasts = lasts != 0};
        bool was_met = true;

        while (was_met) {
            fault.nth++;
            was_met = attempt(*state, &fault);
            FAULT_EXPECT(&fault, has_as_many_entries("/proc/self/task", threads));
            FAULT_EXPECT(&fault, has_as_many_entries("/proc/self/fd", files));
            met += was_met;
        }
    }
    print_message("%u times: %s\n", met, fault_name(kind));
    assert_true(met > 0);
}
