/* SPDX-License-Identifier: Apache-2.0 */
#include "orders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "process.h"

/* For each process, how many of the steps up to its last one are known to come before: a vector clock. */
struct view {
    uint16_t steps[PROCESS_MAX];
};

/* Where a step was chosen. */
struct node {
    uint32_t live;
    uint32_t asleep; /* whatever they would do next has been run from here, in another order */
    uint32_t wanted; /* to be chosen here */
    uint32_t done;   /* have been */
    unsigned chosen;
    struct access next[PROCESS_MAX];
    struct view view; /* of the chosen one, after its step */
};

static struct node nodes[ORDERS_MAX_STEPS];
static unsigned known;  /* nodes whose choice stands */
static unsigned fresh;  /* the first step that no run before has taken */
static unsigned length; /* of this run so far */
static struct view views[PROCESS_MAX];

static uint32_t bit(unsigned process)
{
    return 1u << process;
}

static unsigned first_of(uint32_t processes)
{
    return (unsigned)__builtin_ctz(processes);
}

static bool depend(const struct access *a, const struct access *b)
{
    bool do_meet = a->part == b->part || a->part == 0 || b->part == 0;

    return a->object != NULL && a->object == b->object && do_meet && (a->writes || b->writes);
}

static const struct access *access_at(unsigned step)
{
    return &nodes[step].next[nodes[step].chosen];
}

static bool comes_before(unsigned step, const struct view *view)
{
    return view->steps[nodes[step].chosen] > step;
}

static void join(struct view *view, const struct view *other)
{
    for (unsigned i = 0; i < PROCESS_MAX; i++)
        if (other->steps[i] > view->steps[i])
            view->steps[i] = other->steps[i];
}

/* What comes before the next step, which is the chosen process's. */
static struct view view_of_next(void)
{
    struct view view = views[nodes[length].chosen];

    for (unsigned step = 0; step < length; step++)
        if (depend(access_at(step), access_at(length)))
            join(&view, &nodes[step].view);
    return view;
}

/* --- What is to be tried ------------------------------------------------------------------------------------------- */

/* The steps behind `step` that do not need it, up to the next one, could have been taken without it: the processes that could
 * have begun with that. */
static uint32_t initials(unsigned step, const struct view *next)
{
    uint32_t begun = 0;
    uint32_t able = 0;

    for (unsigned i = step + 1; i <= length; i++) {
        const struct view *view = i < length ? &nodes[i].view : next;
        uint32_t before = 0;
        if (i < length && comes_before(step, view))
            continue;
        for (unsigned j = step + 1; j < i; j++)
            if (!comes_before(step, &nodes[j].view) && comes_before(j, view))
                before |= bit(nodes[j].chosen);
        if (before == 0 && (begun & bit(nodes[i].chosen)) == 0)
            able |= bit(nodes[i].chosen);
        begun |= bit(nodes[i].chosen);
    }
    return able;
}

static void want_reversal(unsigned step, const struct view *next)
{
    struct node *node = &nodes[step];
    uint32_t able = initials(step, next);

    if ((able & node->wanted) == 0)
        node->wanted |= bit(first_of(able));
}

/* Each earlier step that the next one depends on, directly, could have come after it. */
static void want_reversals(void)
{
    struct view next = view_of_next();
    struct view seen = views[nodes[length].chosen];

    for (unsigned step = length; step-- > 0;) {
        if (!depend(access_at(step), access_at(length)))
            continue;
        if (!comes_before(step, &seen))
            want_reversal(step, &next);
        join(&seen, &nodes[step].view);
    }
}

static uint32_t asleep_after(const struct node *before)
{
    uint32_t asleep = (before->asleep | before->done) & ~bit(before->chosen);

    for (uint32_t left = asleep; left != 0; left &= left - 1)
        if (depend(&before->next[first_of(left)], &before->next[before->chosen]))
            asleep &= ~bit(first_of(left));
    return asleep;
}

/* False: every way on from here has been run in another order. */
static bool choose(struct node *node)
{
    node->asleep = length > 0 ? asleep_after(node - 1) : 0;
    if ((node->live & ~node->asleep) == 0)
        return false;
    node->chosen = first_of(node->live & ~node->asleep);
    node->wanted = bit(node->chosen);
    node->done = 0;
    known = length + 1;
    return true;
}

/* --- One run ------------------------------------------------------------------------------------------------------- */

static void look_around(struct node *node, uint32_t live)
{
    node->live = live;
    for (uint32_t left = live; left != 0; left &= left - 1)
        node->next[first_of(left)] = process_next(first_of(left));
}

static void go_on(struct node *node)
{
    unsigned started = process_count();

    if (length >= fresh)
        want_reversals();
    node->view = view_of_next();
    node->view.steps[node->chosen] = (uint16_t)(length + 1);
    views[node->chosen] = node->view;
    process_go_on(node->chosen);
    for (; started < process_count(); started++)
        views[started] = node->view;
}

/* False: abandoned. */
static bool run_once(void)
{
    uint32_t live = 0;

    memset(views, 0, sizeof views);
    fresh = known > 0 ? known - 1 : 0;
    for (length = 0; (live = process_live()) != 0; length++) {
        struct node *node = &nodes[length];
        assert_true(length < ORDERS_MAX_STEPS);
        assert_true(length >= known || node->live == live); /* or begin does not do the same each time */
        look_around(node, live);
        if (length >= known && !choose(node))
            return false;
        go_on(node);
    }
    return true;
}

static void run_to_the_end(void)
{
    uint32_t live = 0;

    while ((live = process_live()) != 0)
        process_go_on(first_of(live));
}

/* --- All runs ------------------------------------------------------------------------------------------------------ */

/* Makes another choice, as late as possible. False: there is none. */
static bool choose_another(void)
{
    for (; known > 0; known--) {
        struct node *node = &nodes[known - 1];
        node->done |= bit(node->chosen);
        uint32_t left = node->wanted & ~node->done & ~node->asleep;
        if (left != 0) {
            node->chosen = first_of(left);
            return true;
        }
    }
    return false;
}

static void count_run(struct orders_count *count, bool is_whole)
{
    count->runs += is_whole;
    count->abandoned += !is_whole;
    if (length > count->longest)
        count->longest = length;
}

void orders_run_all(const struct orders_subject *subject, struct orders_count *count)
{
    known = 0;
    do {
        process_forget_all();
        subject->begin(subject->ctx);
        bool is_whole = run_once();
        count_run(count, is_whole);
        run_to_the_end();
        subject->end(subject->ctx);
    } while (choose_another());
}

const char *orders_current(void)
{
    static char text[ORDERS_MAX_STEPS * 3];
    size_t len = 0;

    text[0] = '\0';
    for (unsigned step = 0; step < length; step++)
        len += (size_t)snprintf(text + len, sizeof text - len, " %u", nodes[step].chosen);
    return text;
}
