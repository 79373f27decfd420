/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <ucontext.h>

#include <cmocka.h>

#if defined __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

#define STACK_SIZE (256 * 1024)

struct process {
    ucontext_t context;
    process_fn *run;
    void *arg;
    void *owner;
    struct access next;
    bool has_ended;
};

static struct process processes[PROCESS_MAX];
static _Alignas(16) char stacks[PROCESS_MAX][STACK_SIZE];
static unsigned count;
static struct process *current; /* NULL: none */
static ucontext_t turns;        /* of whoever gives them */

/* --- Changing stacks, which AddressSanitizer wants to be told ------------------------------------------------------ */

#ifdef __SANITIZE_ADDRESS__
static const void *turns_stack;
static size_t turns_stack_size;

static void switch_to_process(struct process *process)
{
    void *fake_stack = NULL;

    __sanitizer_start_switch_fiber(&fake_stack, stacks[process - processes], STACK_SIZE);
    swapcontext(&turns, &process->context);
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
}

static void switch_back(struct process *process)
{
    void *fake_stack = NULL;

    __sanitizer_start_switch_fiber(process->has_ended ? NULL : &fake_stack, turns_stack, turns_stack_size);
    swapcontext(&process->context, &turns);
    __sanitizer_finish_switch_fiber(fake_stack, &turns_stack, &turns_stack_size);
}

static void arrive(void)
{
    __sanitizer_finish_switch_fiber(NULL, &turns_stack, &turns_stack_size);
}
#else
static void switch_to_process(struct process *process)
{
    swapcontext(&turns, &process->context);
}

static void switch_back(struct process *process)
{
    swapcontext(&process->context, &turns);
}

static void arrive(void)
{
}
#endif

/* --- Processes ---------------------------------------------------------------------------------------------------- */

static void process_main(void)
{
    arrive();
    current->run(current->arg);
    current->has_ended = true;
    switch_back(current);
}

unsigned process_start(process_fn *run, void *arg, void *owner)
{
    struct process *process = &processes[count];

    assert_true(count < PROCESS_MAX);
    *process = (struct process){.run = run, .arg = arg, .owner = owner != NULL ? owner : process_owner()};
    getcontext(&process->context);
    process->context.uc_stack.ss_sp = stacks[count];
    process->context.uc_stack.ss_size = STACK_SIZE;
    makecontext(&process->context, process_main, 0);
    return count++;
}

void process_stop(struct access access)
{
    struct process *stopped = current;

    if (stopped == NULL)
        return;
    stopped->next = access;
    current = NULL;
    switch_back(stopped);
}

bool process_is_current(void)
{
    return current != NULL;
}

unsigned process_current(void)
{
    return (unsigned)(current - processes);
}

void *process_owner(void)
{
    return current != NULL ? current->owner : NULL;
}

void process_forget_all(void)
{
    assert_int_equal(process_live(), 0);
    count = 0;
}

unsigned process_count(void)
{
    return count;
}

uint32_t process_live(void)
{
    uint32_t live = 0;

    for (unsigned i = 0; i < count; i++)
        live |= processes[i].has_ended ? 0 : 1u << i;
    return live;
}

struct access process_next(unsigned number)
{
    return processes[number].next;
}

void process_go_on(unsigned number)
{
    current = &processes[number];
    switch_to_process(current);
    current = NULL;
}
