/* SPDX-License-Identifier: Apache-2.0
 *
 * The sample host with the plugin, inside this process, so that it can be stopped and started again in the same one. Asserts
 * with cmocka what it promises.
 */
#ifndef SERVED_H
#define SERVED_H

#include <stddef.h>

/* Starts it with the configuration in `dir`/config.yml and the data in `dir`/data, which stay. */
void served_start(const char *dir);

/* "http://127.0.0.1:PORT"; borrowed until served_stop. */
const char *served_url(void);

/* How many calls it has made to the plugin, which have all been completed once when this returns: it stops the host, unloads
 * the plugin, and finds nothing left of either. */
size_t served_stop(void);

#endif
