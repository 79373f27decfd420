/* SPDX-License-Identifier: Apache-2.0
 *
 * host_port.h: what the library asks of its host, as far as the tool has it to give: clocks and randomness.
 */
#ifndef HOST_PORT_H
#define HOST_PORT_H

#include "mfa_ports.h"

/* Static. */
extern const struct mfa_host_port host_port;

#endif
