/* SPDX-License-Identifier: Apache-2.0
 *
 * calls.h: the open calls of all plugins: their tokens, deadlines and single completion. It knows no hook and no HTTP.
 *
 * The life of a call:
 *   calls_open        makes the token; the caller then calls the hook, and calls_hook_returned after it
 *   events.settled    exactly once: by the plugin's completion, or without a result by the deadline or the end of the host
 *   events.closed     exactly once, behind settled: the plugin has completed, the hook's inputs may go
 * A call that was settled by its deadline stays open, its inputs alive, until the plugin completes it.
 */
#ifndef CALLS_H
#define CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "call_result.h"
#include "core_plugin.h"

#define CALLS_DEADLINE_MS 30000

struct calls;
struct plugin;

/* What becomes of a call. Both are called on any thread, without a lock held, and must not wait. */
struct call_events {
    /* `result` is transferred, release with call_result_free; NULL: denied. `objection` is then why the plugin's could not
     * be used, as call_result_copy has it; NULL: the plugin had none, which has been logged. */
    void (*settled)(void *owner, struct call_result *result, const char *objection);
    void (*closed)(void *owner);
};

/* Calls are settled `deadline_ms` after they were opened. Returns NULL when a thread or memory is not to be had. Owned by
 * caller, release with calls_free. */
struct calls *calls_new(uint64_t deadline_ms);

/* No call may be open. Accepts NULL. */
void calls_free(struct calls *calls);

/* Opens a call of `plugin`'s for `owner`, whom closed() tells when the call no longer needs it. `client_fd` is the client's socket,
 * watched for its end while the call is unsettled; -1: none. `events` is static. Returns CORE_OK, CORE_ERR_MEMORY, or
 * CORE_ERR_CLOSED when the host is stopping; on failure no event comes and `*token` is 0. Any thread. */
core_status calls_open(struct calls *calls, const struct plugin *plugin, enum call_kind kind,
                       const struct call_events *events, void *owner, int client_fd, core_call *token)
    __attribute__((warn_unused_result));

/* Must follow each calls_open that succeeded, when the hook has returned. Any thread. */
void calls_hook_returned(struct calls *calls);

/* The contracts of core_complete_fn and core_call_info_fn, `plugin` being who asks. Any thread. */
core_status calls_complete(struct calls *calls, const struct plugin *plugin, core_call token,
                           const struct core_result *source);
core_status calls_info(struct calls *calls, const struct plugin *plugin, core_call token, struct core_call_info *info);

/* Refuses new calls, waits until every hook has returned, and marks what is open as cancelled. */
void calls_stop(struct calls *calls);

/* Settles and closes what is still open, and waits for completions under way. Returns how many calls their plugins had
 * left open: a breach of the contract. Only after every plugin has stopped. */
size_t calls_abandon(struct calls *calls);

/* How many calls are open now. Any thread. */
size_t calls_count(struct calls *calls);

#endif
