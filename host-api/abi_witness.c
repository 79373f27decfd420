/* SPDX-License-Identifier: Apache-2.0
 *
 * abi_witness.c: one exported pointer per public struct, so that a comparison of debug information sees them all, and
 * through their members every function type. Built by `make check-abi` only to be compared with what abi/ keeps of
 * released versions; nothing links it.
 */
#include "core_cap_kv.h"
#include "core_cap_metrics.h"
#include "core_plugin.h"

#define WITNESS(type) CORE_PLUGIN_EXPORT const struct type *witness_##type

WITNESS(core_span);
WITNESS(core_header);
WITNESS(core_call_info);
WITNESS(core_result);
WITNESS(core_login);
WITNESS(core_request);
WITNESS(core_route);
WITNESS(core_host);
WITNESS(core_config);
WITNESS(core_plugin_hooks);
WITNESS(core_plugin_descriptor);
WITNESS(core_cap_kv);
WITNESS(core_cap_metrics);
WITNESS(core_metric);
WITNESS(core_metric_label);
