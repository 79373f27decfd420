/* SPDX-License-Identifier: Apache-2.0 */
#include "passwords.h"

#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

#define QUEUE_MAX 256
#define CHECKS_HERE_MAX 8

struct passwords {
    struct storage *storage;
    struct workers *workers;
    unsigned long long ops_limit;
    size_t memory_limit;
    sem_t checks_here;
    char nobodys_hash[crypto_pwhash_STRBYTES]; /* of a random password; costs what a real one does */
};

static core_status hash_nobody(struct passwords *passwords)
{
    unsigned char nobody[32];

    randombytes_buf(nobody, sizeof(nobody));
    return passwords_hash(passwords, (struct core_span){nobody, sizeof(nobody)}, passwords->nobodys_hash);
}

struct passwords *passwords_new(struct storage *storage, enum passwords_cost cost)
{
    struct passwords *passwords = calloc(1, sizeof(*passwords));
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (!passwords)
        return NULL;
    passwords->storage = storage;
    passwords->ops_limit = cost == PASSWORDS_MINIMUM ? crypto_pwhash_OPSLIMIT_MIN : crypto_pwhash_OPSLIMIT_INTERACTIVE;
    passwords->memory_limit =
        cost == PASSWORDS_MINIMUM ? crypto_pwhash_MEMLIMIT_MIN : crypto_pwhash_MEMLIMIT_INTERACTIVE;
    sem_init(&passwords->checks_here, 0, CHECKS_HERE_MAX);
    passwords->workers = workers_new(cores > 0 ? (size_t)cores : 1, QUEUE_MAX);
    if (!passwords->workers || hash_nobody(passwords) != CORE_OK) {
        passwords_free(passwords);
        return NULL;
    }
    return passwords;
}

void passwords_free(struct passwords *passwords)
{
    if (!passwords)
        return;
    workers_free(passwords->workers);
    sem_destroy(&passwords->checks_here);
    free(passwords);
}

bool passwords_submit(struct passwords *passwords, struct job *job)
{
    return workers_submit(passwords->workers, job);
}

core_status passwords_hash(struct passwords *passwords, struct core_span password,
                           char secret_hash[static crypto_pwhash_STRBYTES])
{
    /* libsodium fails here only when it gets no memory. */
    return crypto_pwhash_str(secret_hash, password.data, password.len, passwords->ops_limit, passwords->memory_limit) ==
                   0
               ? CORE_OK
               : CORE_ERR_MEMORY;
}

core_status passwords_check(struct passwords *passwords, struct core_span user_id, struct core_span password)
{
    char secret_hash[crypto_pwhash_STRBYTES];
    core_status found = storage_load_password(passwords->storage, user_id, secret_hash);
    const char *against = found == CORE_OK ? secret_hash : passwords->nobodys_hash;
    int matches = crypto_pwhash_str_verify(against, password.data, password.len) == 0;

    sodium_memzero(secret_hash, sizeof(secret_hash));
    if (found != CORE_OK)
        return found;
    return matches ? CORE_OK : CORE_ERR_DENIED;
}

core_status passwords_check_here(struct passwords *passwords, struct core_span user_id, struct core_span password)
{
    if (sem_trywait(&passwords->checks_here) != 0)
        return CORE_ERR_BUSY;
    core_status status = passwords_check(passwords, user_id, password);
    sem_post(&passwords->checks_here);
    return status;
}
