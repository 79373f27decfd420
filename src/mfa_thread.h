/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads of the library. They are guests in the host's process, so they never run its signal handlers.
 */
#ifndef MFA_THREAD_H
#define MFA_THREAD_H

#include <pthread.h>

#include "mfa_status.h"

/* Starts `run(arg)` on a thread that has all signals blocked from its first instruction on; the caller's own mask is as
 * before. The caller joins `*out`. Returns MFA_OK or MFA_ERR_INTERNAL: there is no thread and `*out` is not to be used. */
MFA_MUST_CHECK enum mfa_status mfa_thread_start(pthread_t *out, void *(*run)(void *arg), void *arg);

#endif
