/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes the nth act of a kind fail: of the library under test and of those below it, on the thread that asks for it and on
 * those that it starts. wrapped.txt lists the functions that the linker leads here; allocation is interposed, so that what
 * jansson, libyaml, PCRE2 and libcurl allocate counts as well.
 */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>
#include <stdint.h>

enum fault_kind {
    FAULT_MEMORY,       /* an allocation, whoever makes it */
    FAULT_THREAD,       /* a thread cannot be started */
    FAULT_IO,           /* reading, opening, waiting for a socket */
    FAULT_CLOCK,        /* the host does not know the time */
    FAULT_RANDOM,       /* the host has nothing unpredictable */
    FAULT_LOAD,         /* the host's storage cannot be read: a profile, the key-value table */
    FAULT_STORE,        /* it cannot be written */
    FAULT_CONFLICT,     /* it has been written by somebody else meanwhile */
    FAULT_PASSWORD,     /* the host cannot check a password */
    FAULT_REGISTER,     /* the host takes no more routes or metrics */
    FAULT_GATEWAY,      /* the gateway takes no request */
    FAULT_PATIENCE,     /* nobody waits for the answer any more */
    FAULT_HOUR_FORWARD, /* both clocks are an hour ahead from then on */
    FAULT_HOUR_BACK,    /* the wall clock is an hour behind */
    FAULT_END_OF_TIME,  /* both clocks show the last moment that there is */
    FAULT_KINDS
};

struct fault {
    enum fault_kind kind;
    unsigned nth; /* from 1 */
    bool lasts;   /* all behind it fail as well */
};

const char *fault_name(enum fault_kind kind);

/* From now on counts acts of the fault's kind, and has them fail as it says. */
void fault_arm(const struct fault *fault);

/* Ends that. Returns whether anything has failed. */
bool fault_disarm(void);

/* Counts an act of the kind. Returns whether it must fail. [any thread] */
bool fault_strikes(enum fault_kind kind);

/* Whether acts on this thread, and on those that it starts from now on, count. Returns whether they did. */
bool fault_count(bool does_count);

/* Fails the test and says which fault it was, unless the condition holds. */
#define FAULT_EXPECT(fault, condition)                                                                                 \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            fault_refute(fault, #condition);                                                                           \
    } while (0)
void fault_refute(const struct fault *fault, const char *condition);

/* Has `attempt` meet the first, the second, ... fault of the kind, each alone and then with all behind it, until there is none
 * to be met; no thread and no descriptor stays behind. It arms the fault, disarms it, and returns whether it was met. */
void fault_exhaust(void **state, enum fault_kind kind, bool (*attempt)(void *state, const struct fault *fault));

#endif
