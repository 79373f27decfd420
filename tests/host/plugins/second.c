/* SPDX-License-Identifier: Apache-2.0
 *
 * second.c: gate.c once more, as another plugin behind it in the login chain.
 */
#define GATE_NAME "second"
#include "gate.c"
