/* SPDX-License-Identifier: Apache-2.0
 *
 * detour.h: stands between the product and libcurl (the linker's --wrap) and leads every request to a service on loopback,
 * whatever its URL says. The rest of the request stays as it is, the host's name and the input of signatures included,
 * except that https becomes http. Nothing leaves the machine: transfers have no other address to connect to, and no proxy.
 *
 * It is also the clock of libcurl, which dates signatures.
 */
#ifndef DETOUR_H
#define DETOUR_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Where requests go from now on, and what time it is to libcurl. Before the first transfer, and between two. */
void detour_to(uint16_t port);
void detour_set_clock(time_t seconds);

/* The URLs asked for since the start or detour_forget_urls, in order, as the product wrote them: the i-th, or NULL past the
 * last. Borrowed until detour_forget_urls. */
const char *detour_url(size_t i);
void detour_forget_urls(void);

#endif
