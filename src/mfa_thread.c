/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_thread.h"

#include <signal.h>

enum mfa_status mfa_thread_start(pthread_t *out, void *(*run)(void *arg), void *arg)
{
    sigset_t all;
    sigset_t before;

    /* A thread inherits its mask: blocking in the thread itself would leave it open for a moment. */
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return MFA_ERR_INTERNAL;
    int error = pthread_create(out, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0 ? MFA_OK : MFA_ERR_INTERNAL;
}
