/* SPDX-License-Identifier: Apache-2.0
 *
 * A communication service that does to the byte what a test tells it to, good manners or not. One thread, on loopback.
 */
#ifndef WIRE_SERVICE_H
#define WIRE_SERVICE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_MAX_REPLIES 4
#define WIRE_REQUEST_SIZE 8192
#define WIRE_NEVER UINT32_MAX

enum wire_end { WIRE_KEEP, WIRE_CLOSE, WIRE_RESET };

/* What follows a whole request. */
struct wire_reply {
    const char *bytes; /* borrowed while the service runs */
    size_t len;        /* 0: strlen(bytes) */
    uint32_t after_ms; /* before the first byte; WIRE_NEVER */
    uint32_t drip_ms;  /* between bytes; 0: all at once */
    enum wire_end end; /* what becomes of the connection */
};

struct wire_service {
    uint16_t port;
    atomic_uint accepted; /* connections */
    atomic_uint requested;
    struct wire_reply replies[WIRE_MAX_REPLIES];
    size_t reply_count;
    int listener;
    int stop_pipe[2];
    pthread_t thread;
    pthread_mutex_t mutex; /* guards request and request_len */
    char request[WIRE_REQUEST_SIZE];
    size_t request_len;
};

/* Starts it; the n-th request gets the n-th reply, later ones the last. Fails the test if it cannot. */
void wire_service_start(struct wire_service *service, const struct wire_reply *replies, size_t reply_count);

/* Copies the bytes of the last whole request, and a NUL. */
void wire_service_last_request(struct wire_service *service, char out[static WIRE_REQUEST_SIZE]);

void wire_service_stop(struct wire_service *service);

#endif
