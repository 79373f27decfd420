/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes that take turns on one thread: each goes on until it is about to touch what others can see, and stops there until
 * it is told to go on. What the product does on the host's threads, its workers and the gateway's thread is a process here.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#define PROCESS_MAX 32 /* of one run; a set of them is a uint32_t */

/* What a process is about to touch. Two accesses can go in either order unless they are to the same part of the same object
 * and one writes. */
struct access {
    const void *object; /* NULL: nothing that others can see */
    uint64_t part;      /* names one; 0: all of them */
    bool writes;
};

typedef void process_fn(void *arg);

/* Makes a process that will call `run(arg)`; it stops before it begins. `owner` is what process_owner returns in it; NULL:
 * that of the process which makes it. Returns its number; they count from 0. */
unsigned process_start(process_fn *run, void *arg, void *owner);

/* Makes the current process stop before an access. Outside of processes nothing happens. */
void process_stop(struct access access);

/* Whether the caller is in a process / its number / on whose behalf it runs, which outside of processes is NULL. */
bool process_is_current(void);
unsigned process_current(void);
void *process_owner(void);

/* --- For whoever gives the turns ---------------------------------------------------------------------------------- */

/* Forgets all processes, which have ended. */
void process_forget_all(void);

/* How many there are / those that have not ended. */
unsigned process_count(void);
uint32_t process_live(void);

/* What a live process stands before. */
struct access process_next(unsigned number);

/* Lets a live process go on to its next stop or its end. */
void process_go_on(unsigned number);

#endif
